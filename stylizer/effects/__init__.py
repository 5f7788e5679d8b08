"""What is done with a painting and its source: colors, strength, regions."""
