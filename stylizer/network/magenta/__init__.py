"""Magenta's network for any style, as TensorFlow Hub and TFLite have it."""
