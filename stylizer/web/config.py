"""The settings of the web page, in one frozen record."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

import platformdirs

from stylizer.errors import ConfigError
from stylizer.network.config import Engine

__all__ = ["ENVIRONMENT", "LogFormat", "WebConfig", "default_folder", "is_loopback"]

ENVIRONMENT = "STYLIZER_WEB_"
"""What the names of environment variables begin with: ``STYLIZER_WEB_MAX_CLIENTS=4``."""

LogFormat = Literal["json", "text"]

_MIB = 1024 * 1024
_LEAST_TOKEN = 12


def default_folder() -> Path:
    """Return where jobs are kept if nothing else is said: in the user's cache folder."""
    return platformdirs.user_cache_path("stylizer", appauthor=False) / "web"


@dataclass(frozen=True, kw_only=True)
class WebConfig:
    """What the web page allows, and where it keeps what it makes.

    Attributes:
      host: the address that is listened on; another than this machine's own needs a ``token``.
      port: the TCP port; 0 takes a free one.
      token: what a client must know; None for nothing, which goes with a loopback address only.
      certificate: a file (PEM) that HTTPS is served with; None for HTTP.
      key: the certificate's key (PEM); None where it is in the same file.
      engine: what runs the fast network.
      threads: of the CPU, for one network; None for one a core.
      segmenter: a TFLite network that finds people; None for the package's own.
      folder: uploads and results are kept in a new folder below it; None for the user's cache.
      keep_seconds: how long results, and sessions that nobody uses, are kept.
      max_clients: live streams at once.
      max_sessions: visitors that are remembered at once.
      max_queue: jobs that wait, of all visitors together.
      max_jobs: jobs of one visitor that are kept; for more, cancelled and failed
        ones go first, then the oldest results that were downloaded.
      result_bytes: of all results of one visitor: below that, what was never downloaded is kept
        beyond ``max_jobs``, unless so much is not free on the disk.
      max_styles: styles that one visitor may bring.
      upload_bytes: of a photo or a video.
      style_bytes: of a style picture.
      frame_bytes: of one live frame.
      pixels: of an uploaded picture.
      video_pixels: of a frame of a video.
      gatys_pixels: of a picture that is optimized; larger ones are reduced.
      live_short_side: of a live picture, in pixels; larger ones are reduced.
      iterations: of an optimized picture, at most.
      tune_minutes: for which a style of a visitor may be improved, at most.
      video_seconds: of a video.
      idle_seconds: after which a live client that sends nothing is let go.
      ping_seconds: between two pings; who does not answer one in twice as long is let go.
      log_format: of the log's lines.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    engine: Engine = "auto"
    threads: int | None = None
    segmenter: Path | None = None
    folder: Path | None = None
    keep_seconds: float = 3600.0
    max_clients: int = 8
    max_sessions: int = 1000
    max_queue: int = 48
    max_jobs: int = 12
    result_bytes: int = 1024 * _MIB
    max_styles: int = 8
    upload_bytes: int = 300 * _MIB
    style_bytes: int = 20 * _MIB
    frame_bytes: int = 4 * _MIB
    pixels: int = 24_000_000
    video_pixels: int = 9_000_000
    gatys_pixels: int = 1_000_000
    live_short_side: int = 720
    iterations: int = 500
    tune_minutes: float = 10.0
    video_seconds: float = 300.0
    idle_seconds: float = 600.0
    ping_seconds: float = 10.0
    log_format: LogFormat = "text"

    def __post_init__(self) -> None:
        """Check every range; a message names the field.

        Raises:
          ConfigError: one is out of its range, or the address needs a token.
        """
        for name, kind in (("engine", Engine), ("log_format", LogFormat)):
            value = getattr(self, name)
            if value not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise ConfigError(f"{name}: expected one of {known}, got {value!r}")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port: expected 0..65535, got {self.port}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "port" or isinstance(value, bool | str | Path | None):
                continue
            if not 0 < value < float("inf"):  # false for NaN too
                raise ConfigError(f"{field.name}: expected a number above 0, got {value!r}")
        if self.token is not None and len(self.token) < _LEAST_TOKEN:
            raise ConfigError(
                f"token: expected at least {_LEAST_TOKEN} characters, got {len(self.token)}; "
                "a short one can be guessed"
            )
        if self.token is None and not is_loopback(self.host):
            raise ConfigError(
                f"token: {self.host} can be reached from other machines, so clients must know a "
                "token; give one, or listen on 127.0.0.1"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> WebConfig:
        """Read the settings from environment variables, as for a server such as gunicorn.

        Args:
          environment: None for the process's own. ``STYLIZER_WEB_`` and a field's name in capitals
            set that field; what is not there keeps its default.

        Raises:
          ConfigError: no such field, or not a value for it.
        """
        given = os.environ if environment is None else environment
        kinds = get_type_hints(cls)
        values: dict[str, Any] = {}
        for name, text in given.items():
            if not name.startswith(ENVIRONMENT):
                continue
            field = name.removeprefix(ENVIRONMENT).lower()
            if field not in kinds:
                known = ", ".join(f"{ENVIRONMENT}{key.upper()}" for key in kinds)
                raise ConfigError(f"{name}: no such setting; there are {known}")
            values[field] = _read(name, text, kinds[field])
        return cls(**values)


def is_loopback(host: str) -> bool:
    """Say whether an address or a name leads to this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _read(name: str, text: str, kind: Any) -> Any:
    kinds = get_args(kind) or (kind,)
    for convert in (int, float, Path):
        if convert in kinds:
            try:
                return convert(text)
            except ValueError:
                raise ConfigError(f"{name}: expected a number, got {text!r}") from None
    return text
