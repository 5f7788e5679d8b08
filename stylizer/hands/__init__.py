"""Hands: where they are in a picture, their landmarks, followed through a video; masks of them."""
