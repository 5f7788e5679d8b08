"""Style transfer by optimization (Gatys et al. 2016), warm-started from frame to frame.

`config` holds the settings and `recipes` those of published methods; `targets` are what styles look
like to a loss network of `stylizer.perceptual`; `engine` optimizes one canvas, `stylizer` a stream
and `still` a picture. Importing this package imports no backend.
"""

__all__: list[str] = []
