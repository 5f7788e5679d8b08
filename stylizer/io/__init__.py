"""Where frames come from and where they go: cameras, files, folders, windows.

Only here are there BGR, files, devices and ffmpeg; what leaves this package is uint8 RGB of shape
(H, W, 3), C-contiguous, with rates as exact fractions and sizes as (width, height).

`sources` (`stylizer.protocols.FrameSource`): `camera`, `reconnecting` around it, `video_reader`,
`folder_reader`; `wrappers` stand around any of them. `sinks` (`stylizer.protocols.FrameSink`):
`video_writer`, `folder_writer`, `window`, `virtual_camera`, `recording`, which holds live frames to
a constant rate; `broadcast` feeds several. `media` is what both know of media files. Pictures are
read and written by `image`, files appear whole by `atomic`.
Importing this package imports none of them.
"""

__all__: list[str] = []
