"""What ``stylizer doctor`` looks at on this machine; each check only looks, and gives findings."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires
from importlib.resources import files
from pathlib import Path
from typing import Literal, cast

import cv2

import stylizer
from stylizer.backend.cores import cpu_facts, usable_cores
from stylizer.errors import StylizerError
from stylizer.io.media.encoders import try_encoder
from stylizer.io.media.ffmpeg import ffmpeg_executable
from stylizer.io.media.hardware import HARDWARE
from stylizer.io.sinks.screen import check_screen
from stylizer.io.sinks.virtual_camera import check_virtual_camera
from stylizer.io.sources.devices import list_cameras, open_capture
from stylizer.network.config import FastConfig
from stylizer.network.embedded.openvino_models import cache_folder
from stylizer.network.registry import FAST_NETWORKS
from stylizer.weights import weights_path

from ..console.painting import load_backend

__all__ = ["CHECKS", "Finding", "State", "without_secrets"]

State = Literal["ok", "note", "problem", "failure"]
"""``note``: something is missing that not everybody wants. ``failure``: the main job, painting a
video into a file, cannot be done."""

_LEAST_SPACE = 500 << 20
_CAMERA_WAIT = 5.0
_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512 bfloat16",
    "amx_bf16": "AMX bfloat16",
    "asimd": "NEON",
    "bf16": "bfloat16",
}
"""Names in /proc/cpuinfo of what networks are quick with."""

_ENCODERS = ("libx264", "libx265", "libvpx-vp9", "ffv1", "prores_ks")
_MEASURE = ".ci/gpu.sh OUT, in a checkout"
_TRIED = (640, 360)
"""(width, height) in pixels at which encoders are tried."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
      topic: what, as ``"ffmpeg"``.
      found: what there is, in one line.
      state: whether that is well.
      cure: what to do about it, in one line; None where there is nothing to do.
    """

    topic: str
    found: str
    state: State = "ok"
    cure: str | None = None


def without_secrets(text: str) -> str:
    """Return a text without passwords of URLs and without the names of home folders.

    Args:
      text: of any length.
    """
    text = re.sub(r"//[^/@\s]+@", "//", text)
    homes = {str(Path.home()), os.environ.get("HOME", ""), os.environ.get("USERPROFILE", "")}
    for home in sorted(homes - {"", "/"}, key=len, reverse=True):
        text = re.sub(rf"{re.escape(home.rstrip('/'))}(?![\w-])", "~", text)
    return re.sub(r"(?:/home|/Users|[A-Za-z]:\\Users)[/\\][^/\\\s'\"]+", "~", text)


def _check_python() -> Iterator[Finding]:
    yield Finding(topic="stylizer", found=stylizer.__version__)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Finding(topic="Python", found=f"{platform.python_version()} on {system}")


def _check_cpu() -> Iterator[Finding]:
    facts = cpu_facts()
    name = facts.get("model name") or platform.processor() or platform.machine()
    flags = facts.get("flags", facts.get("Features"))
    there = usable_cores()
    yield Finding(topic="CPU", found=f"{name}, {there} of {os.cpu_count()} cores usable")
    if flags is not None:
        known = [text for flag, text in _FEATURES.items() if flag in flags.split()]
        yield Finding(topic="CPU features", found=", ".join(known) or "none that networks use")


def _check_backend() -> Iterator[Finding]:
    load_backend()
    import keras

    from stylizer.backend.keras_backend import describe_device, has_gpu, nvidia_gpu

    backend = str(keras.backend.backend())
    yield Finding(topic="backend", found=f"Keras {keras.__version__}, {describe_device()}")
    idle = None if has_gpu() else nvidia_gpu()
    if idle is not None:
        yield Finding(
            topic="GPU",
            found=f"{idle} is there, {backend} does not use it",
            state="problem",
            cure="install the backend's GPU build: pip install 'tensorflow[and-cuda]', or "
            "'jax[cuda13]' and KERAS_BACKEND=jax",
        )
    elif has_gpu():
        yield Finding(topic="GPU", found="used", cure=f"to measure what it is worth: {_MEASURE}")
    else:
        found = "none that the backend could use; all runs on the CPU"
        yield Finding(topic="GPU", found=f"{found} (where there is one: {_MEASURE})")


def _check_openvino() -> Iterator[Finding]:
    try:
        import openvino

        from stylizer.backend.openvino_core import cpu_precision, gains_by_int8
    except ImportError as error:
        yield Finding(
            topic="OpenVINO",
            found=f"cannot be imported ({error}); networks take two to three times as long",
            state="problem",
            cure="pip install --force-reinstall openvino",
        )
        return
    version = openvino.__version__.partition("-")[0]
    usual = cpu_precision()
    precision = FAST_NETWORKS[FastConfig().network].precision_on(
        usual, gains_by_int8=gains_by_int8()
    )
    found = f"{version}, networks run in {usual}"
    if precision != usual:
        found += f", the one that paints in {precision}"
    yield Finding(topic="OpenVINO", found=found)


def _check_cache() -> Iterator[Finding]:
    folder = cache_folder()
    held = sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    found = f"{folder}: {held / (1 << 20):.0f} MiB held, {free / (1 << 30):.1f} GiB free"
    if not os.access(there, os.W_OK):
        yield Finding(
            topic="cache",
            found=f"{found}, not writable",
            state="problem",
            cure="allow writing there, or set XDG_CACHE_HOME to a folder of yours",
        )
    elif free < _LEAST_SPACE:
        yield Finding(topic="cache", found=found, state="problem", cure="make room on that disk")
    else:
        yield Finding(topic="cache", found=found)


def _check_weights() -> Iterator[Finding]:
    manifest = json.loads(
        Path(str(files("stylizer.models"))).joinpath("manifest.json").read_text(encoding="utf-8")
    )
    for name, entry in manifest.items():
        try:
            weights_path(name)
        except StylizerError as error:
            cure = "pip install --force-reinstall stylizer"
            yield Finding(topic=f"weights {name}", found=str(error), state="failure", cure=cure)
        else:
            yield Finding(topic=f"weights {name}", found=f"sha256 {entry['sha256'][:12]}")


def _check_ffmpeg() -> Iterator[Finding]:
    cure = "pip install --force-reinstall imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE to an ffmpeg"
    told = []
    for question in ("-version", "-encoders"):
        try:
            command = [ffmpeg_executable(), "-hide_banner", question]
            answer = subprocess.run(command, capture_output=True, timeout=20, check=True)
        except (StylizerError, OSError, subprocess.SubprocessError) as error:
            yield Finding(topic="ffmpeg", found=str(error), state="failure", cure=cure)
            return
        told.append(answer.stdout.decode("utf-8", "replace"))
    version = re.search(r"version (\S+)", told[0])
    known = {words[1] for line in told[1].splitlines() if len(words := line.split()) > 1}
    yield Finding(topic="ffmpeg", found="unknown" if version is None else version.group(1))
    there = ", ".join(name for name in _ENCODERS if name in known) or "none of those used"
    if "libx264" in known:
        yield Finding(topic="encoders", found=there)
    else:
        found = f"{there}; libx264, which writes .mp4, is missing"
        yield Finding(topic="encoders", found=found, state="failure", cure=cure)
    told = []
    for name in (name for name in HARDWARE if name in known):
        reason = try_encoder(name, _TRIED)
        told.append(f"{name} ({'works' if reason is None else f'does not work: {reason}'})")
    yield Finding(
        topic="hardware encoders",
        found=f"{', '.join(told) or 'none in ffmpeg'}; stylizer video --encoder auto",
    )


def _check_cameras() -> Iterator[Finding]:
    cameras = list_cameras()
    if not cameras:
        yield Finding(
            topic="cameras",
            found="none that the system knows",
            state="note",
            cure="plug one in, or give a stream's URL: stylizer live --camera http://...",
        )
    for camera in cameras:
        capture = cast(cv2.VideoCapture, open_capture(camera.index, timeout=_CAMERA_WAIT))
        try:
            if not capture.isOpened():
                yield Finding(
                    topic="camera",
                    found=f"{camera}: cannot be opened",
                    state="problem",
                    cure="close the program that uses it; on Linux be in the group video",
                )
                continue
            numbers = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
            width, height, rate = (capture.get(number) for number in numbers)
            yield Finding(
                topic="camera", found=f"{camera}: {width:.0f}x{height:.0f}, {rate:g} frames/s"
            )
        finally:
            capture.release()


def _check_screen() -> Iterator[Finding]:
    try:
        check_screen()
    except StylizerError as error:
        cure = "for live's window only; stylizer live --output FILE and stylizer web need none"
        yield Finding(topic="screen", found=str(error), state="note", cure=cure)
    else:
        yield Finding(topic="screen", found="a window can be opened")


def _check_virtual_camera() -> Iterator[Finding]:
    try:
        check_virtual_camera()
    except StylizerError as error:
        found, _, cure = str(error).partition("; run: ")
        yield Finding(topic="virtual camera", found=found, state="note", cure=cure)
        return
    if sys.platform.startswith("linux") and not Path("/sys/module/v4l2loopback").exists():
        yield Finding(
            topic="virtual camera",
            found="the kernel module v4l2loopback is not loaded",
            state="note",
            cure="sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=stylizer "
            "(Debian and Ubuntu: apt-get install v4l2loopback-dkms)",
        )
        return
    driver = "v4l2loopback" if sys.platform.startswith("linux") else "OBS's, if OBS is installed"
    yield Finding(topic="virtual camera", found=f"pyvirtualcam, driver: {driver}")


def _check_extras() -> Iterator[Finding]:
    wanted: dict[str, list[str]] = {}
    for line in requires("stylizer") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([^'\"]+)", line)
        if name is not None and extra is not None:
            wanted.setdefault(extra.group(1), []).append(name.group())
    there = [extra for extra, names in wanted.items() if all(map(_is_installed, names))]
    missing = sorted(set(wanted) - set(there))
    yield Finding(topic="extras", found=", ".join(sorted(there)) or "none installed")
    if missing:
        yield Finding(
            topic="extras missing",
            found=", ".join(missing),
            state="note",
            cure=f"where wanted: pip install 'stylizer[{missing[0]}]'",
        )


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": _check_python,
    "CPU": _check_cpu,
    "backend": _check_backend,
    "OpenVINO": _check_openvino,
    "cache": _check_cache,
    "weights": _check_weights,
    "ffmpeg": _check_ffmpeg,
    "cameras": _check_cameras,
    "screen": _check_screen,
    "virtual camera": _check_virtual_camera,
    "extras": _check_extras,
}
"""By topic."""
