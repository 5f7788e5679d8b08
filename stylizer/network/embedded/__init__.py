"""What runs the networks that the package carries, whatever their architecture."""
