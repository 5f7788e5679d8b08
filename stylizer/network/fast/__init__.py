"""The fast network of our own: its architecture, what runs it, and other programs' formats."""
