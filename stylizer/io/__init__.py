"""Where frames come from and where they go: cameras, files, folders, windows.

Only here are there BGR, files, devices and ffmpeg; what leaves this package is uint8 RGB of shape
(H, W, 3), C-contiguous, with rates as exact fractions and sizes as (width, height).

Sources (`stylizer.protocols.FrameSource`): `camera`, `video_reader`, `folder_reader`; `resize`
wraps any of them. Sinks (`stylizer.protocols.FrameSink`): `video_writer`, `folder_writer`,
`window`. Pictures are read and written by `image`; `probe` tells what is in a media file. Importing
this package imports none of them.
"""

__all__: list[str] = []
