"""The adaptive network: its weights, its model card, and how it was trained."""
