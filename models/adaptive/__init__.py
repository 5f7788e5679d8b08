"""Weights and card of the adaptive network."""
