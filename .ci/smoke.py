"""Run beside an installed wheel: the command works, offline, with the weights that it carries."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

random = np.random.default_rng(0)
bin_folder = Path(sys.executable).parent
for name, size in (("photo.png", (96, 64)), ("style.png", (64, 64))):
    noise = random.integers(0, 255, (8, 8, 3)).astype(np.uint8)
    cv2.imwrite(name, cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC))
runs = {
    "built-in.png": ["--style", "starry_night"],
    "fast.png": ["--style", "style.png"],
    "gatys.png": ["--style", "style.png", "--method", "gatys", "--iterations", "5"],
}
for name, options in runs.items():
    command = [str(bin_folder / "stylizer"), "image", "photo.png", name, *options]
    subprocess.run(command, check=True)
    picture = cv2.imread(name)
    if picture is None or picture.shape != (64, 96, 3):
        sys.exit(f"smoke: the installed command made no {name} of the right size")
print("smoke: the wheel works")
