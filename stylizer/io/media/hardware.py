"""How ffmpeg is told to encode H.264 by graphics hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["ENCODERS", "HARDWARE", "hardware_arguments"]

HARDWARE: Mapping[str, Callable[[int], list[str]]] = MappingProxyType(
    {
        "h264_videotoolbox": lambda crf: ["-q:v", str(max(1, 100 - 2 * crf))],
        "h264_nvenc": lambda crf: ["-preset", "p4", "-rc", "vbr", "-cq", str(crf), "-b:v", "0"],
        "h264_qsv": lambda crf: ["-preset", "faster", "-global_quality", str(max(1, crf))],
        "h264_vaapi": lambda crf: ["-rc_mode", "CQP", "-qp", str(crf)],
    }
)
"""By ffmpeg's names of the encoders, the options for about the quality of a CRF of x264's."""

ENCODERS = ("x264", "auto", *HARDWARE)
"""What may be asked for: ``"auto"`` is the first of `HARDWARE` that works, and else x264."""


def hardware_arguments(encoder: str, *, graph: str, crf: int) -> list[str]:
    """Return the options of ffmpeg.

    Args:
      encoder: one of `HARDWARE`.
      graph: of filters, which gives pictures in NV12.
      crf: 0..51, as x264's.
    """
    device: list[str] = []
    if encoder == "h264_vaapi":
        device, graph = ["-vaapi_device", "/dev/dri/renderD128"], f"{graph},hwupload"
    return [*device, "-vf", graph, "-c:v", encoder, *HARDWARE[encoder](crf)]
