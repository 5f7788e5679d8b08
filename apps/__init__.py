"""What people run: the command line and the apps behind it."""

import os

__all__: list[str] = []

# Threads of OpenBLAS, under NumPy, SciPy and OpenCV, wait at work for what comes next, and take the
# cores from networks: nothing here multiplies matrices so large that they would pay.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
