"""The network whose kernels follow the style."""
