"""Everything that stylizer raises on purpose.

::

    StylizerError
    ├── ConfigError      a setting or an argument is out of its range (also a ValueError)
    ├── SourceError      a camera, video file or folder cannot be read
    ├── SinkError        a video file, folder or window cannot be written
    ├── StyleError       a style picture cannot be used
    ├── WeightsError     the weights of a network are missing or damaged
    │   └── FetchError   they are fetched when they are needed, and could not be
    ├── BackendError     the backend or device asked for is not there
    └── OptimizationError  the optimization diverged and could not be rescued

A message says what was expected, what was got, and what to do about it. Apps print it as one line.
"""

__all__ = [
    "BackendError",
    "ConfigError",
    "FetchError",
    "OptimizationError",
    "SinkError",
    "SourceError",
    "StyleError",
    "StylizerError",
    "WeightsError",
]


class StylizerError(Exception):
    """The root of all errors that stylizer raises on purpose."""


class ConfigError(StylizerError, ValueError):
    """A setting or an argument is out of its range."""


class SourceError(StylizerError):
    """A camera, video file or folder cannot be read."""


class SinkError(StylizerError):
    """A video file, folder or window cannot be written."""


class StyleError(StylizerError):
    """A style picture cannot be used."""


class WeightsError(StylizerError):
    """The weights of a network are missing or damaged."""


class FetchError(WeightsError):
    """Weights that are fetched when they are needed could not be."""


class BackendError(StylizerError):
    """The backend or device asked for is not there."""


class OptimizationError(StylizerError):
    """The optimization diverged and could not be rescued."""
