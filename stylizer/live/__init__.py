"""Live use: what can be changed while a stream is painted, and how the rate is held."""
