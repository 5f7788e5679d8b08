"""What computes: the backends of Keras, and the cores of the CPU."""
