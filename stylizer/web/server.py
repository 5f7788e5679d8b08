"""The server that ``stylizer web`` runs: werkzeug's, with a thread for each connection.

Fit for one's own machine; for more, run `stylizer.web.app.create_app` under gunicorn.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from stylizer.errors import ConfigError
from stylizer.web.config import WebConfig

__all__ = ["address_of", "open_server"]

_log = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    """Handles a connection; it says nothing, as the application logs requests itself."""

    timeout = 60
    """Seconds that a client may be silent in the middle of a request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        _log.debug(message, *args)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass  # the address may hold the token

    def version_string(self) -> str:
        return "stylizer"


def open_server(app: Flask, config: WebConfig) -> BaseWSGIServer:
    """Listen; ``serve_forever`` of what is returned serves, until Ctrl-C or ``shutdown``.

    Raises:
      ConfigError: the address cannot be listened on, as when the port is taken.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        # werkzeug would print the error and end the process.
        bound = socket.create_server((config.host, config.port), family=family, backlog=128)
    except OSError as error:
        raise ConfigError(
            f"{config.host}:{config.port}: cannot be listened on ({_reason(error)}); "
            "choose another host or port"
        ) from error
    with bound:
        return make_server(
            config.host,
            bound.getsockname()[1],
            app,
            threaded=True,
            request_handler=_Handler,
            fd=bound.fileno(),
        )


def address_of(server: BaseWSGIServer, config: WebConfig) -> str:
    """Return the page's address, with the token if there is one."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    token = "" if config.token is None else f"?token={config.token}"
    return f"http://{host}:{server.port}/{token}"


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)  # its own words repeat the address
