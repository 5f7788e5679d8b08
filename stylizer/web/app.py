"""The application: requests by Flask, and with live sockets for any ASGI server.

``stylizer web`` serves it with uvicorn. Another server of one process, since streams, jobs and
visitors are in its memory, takes `create_asgi`::

    STYLIZER_WEB_MAX_CLIENTS=8 hypercorn 'stylizer.web.app:create_asgi()'

All settings of `stylizer.web.config.WebConfig` are read from such variables. Where others can
reach the page, set ``STYLIZER_WEB_TOKEN``, also behind a proxy, which must hand on ``Host``.
"""

from __future__ import annotations

import atexit
import logging
import time

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from stylizer.network.runtime import load_runtime
from stylizer.web.asgi import REFUSAL, Application
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import log_event, set_up_log
from stylizer.web.gallery import RuntimeLoader
from stylizer.web.routes import add_routes
from stylizer.web.security import Guard
from stylizer.web.services import Services

__all__ = ["create_app", "create_asgi"]

_log = logging.getLogger(__name__)


def create_app(config: WebConfig | None = None, *, loader: RuntimeLoader = load_runtime) -> Flask:
    """Make the application; nothing is loaded before it is asked for.

    Args:
      config: None for what the environment says, with a log on stderr; all is closed at the
        process's end.
      loader: makes the network; another one for tests.

    Returns:
      The application; ``app.extensions["stylizer"]`` is its `Services`, to be closed at the end
      if ``config`` was given.

    Raises:
      ConfigError: a setting is out of its range.
    """
    from_environment = config is None
    config = config or WebConfig.from_environment()
    services = Services(config, loader=loader)
    if from_environment:  # there is no one else to do it
        set_up_log(config.log_format)
        atexit.register(services.close)
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.url_map.merge_slashes = False
    app.extensions["stylizer"] = services
    app.config["MAX_CONTENT_LENGTH"] = config.upload_bytes
    app.config["MAX_FORM_PARTS"] = 8
    _answer_errors(app)
    _log_requests(app, services)
    app.before_request(_refuse_early)
    Guard(config).install(app)
    add_routes(app, services)
    return app


def create_asgi() -> Application:
    """Make the application for an ASGI server; the environment says how."""
    return Application(create_app())


def _answer_errors(app: Flask) -> None:
    def refuse(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.as_json()), error.status

    def too_large(error: RequestEntityTooLarge) -> tuple[Response, int]:
        return refuse(
            ApiError(413, "too_large", "more was sent than is allowed; send less at once")
        )

    def answer(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        return refuse(ApiError(status, code, error.description or error.name))

    def fail(error: Exception) -> tuple[Response, int]:
        _log.exception("failed")
        return refuse(ApiError(500, "failed", "the server made a mistake; its log says which"))

    app.register_error_handler(ApiError, refuse)
    app.register_error_handler(RequestEntityTooLarge, too_large)
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(Exception, fail)


def _refuse_early() -> None:
    """Answer what was refused before it was received."""
    refusal = request.environ.get("asgi.scope", {}).get(REFUSAL)
    if refusal is not None:
        raise refusal


def _log_requests(app: Flask, services: Services) -> None:
    @app.before_request
    def begin() -> None:
        services.start()
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        spent = time.perf_counter() - g.began
        log_event(
            _log,
            "request",
            level=logging.DEBUG if response.status_code < 400 else logging.INFO,
            method=request.method,
            path=request.path[:200],
            status=response.status_code,
            ms=round(1000 * spent, 1),
            address=request.remote_addr,
        )
        return response
