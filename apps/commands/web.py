"""``stylizer web``: the web page, served from one's own machine."""

from __future__ import annotations

import logging
import secrets
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from stylizer.effects.segmenter import WHERE
from stylizer.errors import ConfigError
from stylizer.network.config import Engine
from stylizer.web.config import LogFormat, WebConfig, is_loopback
from stylizer.web.events import set_up_log

from ..console.terminal import Interrupted, interruptible, say, silenced
from ..options.shared import SpeechOptions, option
from ..options.spread import spread

if TYPE_CHECKING:
    from stylizer.web.services import Services

__all__ = ["web"]

_DEFAULTS = WebConfig()
_ALL = ("0.0.0.0", "::", "")
"""Hosts that stand for all addresses of this machine."""
_ADDRESS, _LIMITS, _NETWORK, _REPORTS = "Address", "Limits", "Network", "Reports"


@spread
def web(
    speech: SpeechOptions,
    host: Annotated[
        str, option("host", "The address to listen on; 0.0.0.0 is all of this machine's.", _ADDRESS)
    ] = _DEFAULTS.host,
    port: Annotated[int, option("port", "0 takes a free one.", _ADDRESS)] = _DEFAULTS.port,
    token: Annotated[
        str | None,
        option(
            "token",
            "What clients must know, 12 characters or more; made up if the address is one that "
            "other machines can reach.",
            _ADDRESS,
        ),
    ] = None,
    https: Annotated[
        bool,
        option(
            "https",
            "Serve by HTTPS, which phones want for their camera, with a certificate made here; "
            "browsers warn of it once.",
            _ADDRESS,
        ),
    ] = False,
    certificate: Annotated[
        Path | None,
        option("certificate", "Serve by HTTPS with this certificate (PEM).", _ADDRESS),
    ] = None,
    key: Annotated[
        Path | None,
        option("key", "The certificate's key (PEM). Default: in the same file.", _ADDRESS),
    ] = None,
    open_browser: Annotated[bool, option("open", "Open the page in a browser.", _ADDRESS)] = False,
    engine: Annotated[
        Engine, option("engine", "What runs the network.", _NETWORK)
    ] = _DEFAULTS.engine,
    threads: Annotated[
        int | None, option("threads", "Threads of the CPU. Default: one a core.", _NETWORK)
    ] = None,
    segmenter: Annotated[
        Path | None,
        option(
            "segmenter",
            "Finds people, who can have a style of their own, in place of the package's own "
            f"network: a TFLite file; {WHERE}.",
            _NETWORK,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        option("folder", "Keep uploads and results below here.", _LIMITS, show_default="the cache"),
    ] = None,
    keep: Annotated[
        float, option("keep", "Minutes that results are kept.", _LIMITS)
    ] = _DEFAULTS.keep_seconds / 60,
    max_clients: Annotated[
        int, option("max-clients", "Live streams at once.", _LIMITS)
    ] = _DEFAULTS.max_clients,
    max_queue: Annotated[
        int, option("max-queue", "Photos and videos that wait.", _LIMITS)
    ] = _DEFAULTS.max_queue,
    max_upload: Annotated[
        float, option("max-upload", "Of a photo or video, in MiB.", _LIMITS)
    ] = _DEFAULTS.upload_bytes / 2**20,
    max_seconds: Annotated[
        float, option("max-seconds", "Of a video.", _LIMITS)
    ] = _DEFAULTS.video_seconds,
    log_format: Annotated[
        LogFormat,
        option(
            "log-format",
            "Of the log: a line for each event, and for requests with --debug.",
            _REPORTS,
        ),
    ] = _DEFAULTS.log_format,
) -> None:
    """Serve a page that paints the browser's camera, photos and videos.

    It listens on this machine alone, unless --host says otherwise; then clients need the token that
    is printed at the start, in the addresses that they can open, and as a code for a phone's
    camera. Browsers give a page their camera only on localhost or over HTTPS: for phones add
    --https. Its certificate is made here, so a browser warns that it does not know it: choose to go
    on, once.

    Photos and videos that are not done when the server ends are gone on with when it is started
    again within --keep minutes; visitors find their styles and results again.

    **Examples**

    `stylizer web --open`

    `stylizer web --host 0.0.0.0 --https`
    """
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(18)
    limits = {"keep": keep, "max-upload": max_upload, "max-seconds": max_seconds}
    for name, value in limits.items():
        if not 0 < value < float("inf"):
            raise ConfigError(f"--{name}: expected a number above 0, got {value:g}")
    config = WebConfig(
        host=host,
        port=port,
        token=token,
        certificate=_certificate(host) if https and certificate is None else certificate,
        key=key,
        engine=engine,
        threads=threads,
        segmenter=segmenter,
        folder=folder,
        keep_seconds=60 * keep,
        max_clients=max_clients,
        max_queue=max_queue,
        upload_bytes=int(max_upload * 2**20),
        video_seconds=max_seconds,
        log_format=log_format,
    )
    _serve(config, speech, open_browser=open_browser)


def _serve(config: WebConfig, speech: SpeechOptions, *, open_browser: bool) -> None:
    """Serve until Ctrl-C.

    Raises:
      Interrupted: it came.
    """
    import cv2

    from stylizer.web.app import create_app  # Flask takes a while to import
    from stylizer.web.server import open_server

    # Streams have threads of their own; OpenCV's would wait beside them, and take a core for it.
    cv2.setNumThreads(1)
    app = create_app(config)
    services = app.extensions["stylizer"]
    server = open_server(app, config)
    try:
        with interruptible(), silenced():
            engine = services.gallery.runtime.description
        address = _address(config, server.port)
        services.start()
        if not speech.quiet:
            others = _other_addresses(config, server.port)
            say(" · ".join([engine, address, *others, "Ctrl-C ends"]))
            _help_phones(config, others)
        level = logging.WARNING if speech.quiet else logging.INFO
        set_up_log(config.log_format, level=logging.DEBUG if speech.debug else level)
        if open_browser:
            webbrowser.open(address)
        server.serve_forever()  # ends with Ctrl-C
    except KeyboardInterrupt:
        pass  # said below, with what is kept
    finally:
        server.close()
        services.close()
    raise Interrupted(_what_is_left(services))


def _certificate(host: str) -> Path:
    from stylizer.web.certificate import certificate_file, own_addresses

    return certificate_file([*own_addresses(), *([] if host in _ALL else [host])])


def _address(config: WebConfig, port: int, *, host: str | None = None) -> str:
    """Return the page's address, with the token if there is one."""
    name = host or config.host
    name = f"[{name}]" if ":" in name else name
    scheme = "http" if config.certificate is None else "https"
    token = "" if config.token is None else f"?token={config.token}"
    return f"{scheme}://{name}:{port}/{token}"


def _other_addresses(config: WebConfig, port: int) -> list[str]:
    """Return the page's addresses that other machines can open, if they can."""
    from stylizer.web.certificate import own_addresses

    if config.host not in _ALL:
        return []
    hosts = [host for host in own_addresses() if config.host != "0.0.0.0" or ":" not in host]
    return [_address(config, port, host=host) for host in hosts]


def _help_phones(config: WebConfig, others: Sequence[str]) -> None:
    """Show the first address to a phone's camera, and say what the page wants for its own."""
    if is_loopback(config.host):
        return
    if config.certificate is None:
        say("phones give a page their camera only by https: add --https")
    if others and sys.stderr.isatty():
        import segno

        segno.make(others[0], error="l").terminal(sys.stderr, compact=True)


def _what_is_left(services: Services) -> str:
    jobs, unfinished = services.unfinished
    if not jobs:
        return "the page is closed"
    minutes = services.config.keep_seconds / 60
    told = f"the page is closed; {jobs} photos and videos are kept for {minutes:g} minutes"
    return told if not unfinished else f"{told}; start it again to go on with {unfinished} of them"
