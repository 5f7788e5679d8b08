"""Faces: found, followed from frame to frame, and where their features are."""
