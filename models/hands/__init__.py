"""The networks that find hands: Google's, with their model card."""
