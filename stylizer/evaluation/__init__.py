"""How good a painting is: motion, stability, the course of the losses, grids of settings."""
