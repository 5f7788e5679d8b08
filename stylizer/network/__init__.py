"""The fast network: any style in one pass."""
