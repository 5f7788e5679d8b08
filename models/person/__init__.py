"""The network that finds people."""
