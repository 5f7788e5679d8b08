"""Tuning of a fast network to one style, and what training shares with it: losses, views, steps."""
