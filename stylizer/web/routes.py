"""The addresses: the page, what it needs to know, its styles and its live socket."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_sock import Sock

import stylizer
from stylizer.web.config import WebConfig
from stylizer.web.forms import display_name, uploaded_file
from stylizer.web.job_routes import add_job_routes
from stylizer.web.services import Services
from stylizer.web.uploads import VIDEO_FORMATS
from stylizer.web.visits import current_session, find_session

__all__ = ["add_routes"]


def add_routes(app: Flask, sock: Sock, services: Services) -> None:
    """Give an application its addresses."""
    _add_page(app, services)
    _add_styles(app, services)
    add_job_routes(app, services)

    @sock.route("/api/live")  # type: ignore[untyped-decorator]
    def live(ws: Any) -> None:
        services.live.serve(ws, find_session(services.sessions))


def _add_page(app: Flask, services: Services) -> None:
    @app.get("/")
    def page() -> Response:
        current_session(services.sessions)
        return app.send_static_file("index.html")

    @app.get("/healthz")
    def health() -> Response:
        return jsonify(status="ok", clients=len(services.clients), jobs=services.jobs.counts())

    @app.get("/api/info")
    def info() -> Response:
        return jsonify(_describe(services))

    @app.before_request
    def refuse_compression() -> None:
        # JPEG does not get smaller by deflating it, and a bomb could be sent that way.
        request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)


def _add_styles(app: Flask, services: Services) -> None:
    @app.get("/api/styles/<name>/sample")
    def sample(name: str) -> Response:
        session = find_session(services.sessions)
        own = {} if session is None else session.styles
        data = own[name].sample if name in own else services.gallery.sample(name)
        answer = Response(data, mimetype="image/jpeg")
        answer.headers["Cache-Control"] = "private, max-age=3600"
        return answer

    @app.post("/api/styles")
    def add_style() -> tuple[Response, int]:
        session = current_session(services.sessions)
        services.sessions.check_room(session)
        file = uploaded_file("file", most_bytes=services.config.style_bytes)
        title = display_name(file.filename, otherwise="My style")
        image = services.read_picture(file)
        style = services.gallery.encode(title, image, id=f"own-{secrets.token_hex(8)}")
        services.sessions.add_style(session, style)
        return jsonify(id=style.id, title=style.title), 201

    @app.delete("/api/styles/<name>")
    def remove_style(name: str) -> tuple[str, int]:
        services.sessions.remove_style(current_session(services.sessions), name)
        return "", 204


def _describe(services: Services) -> dict[str, Any]:
    """Describe the server, with the visitor's own styles after the built-in ones."""
    styles: list[dict[str, Any]] = [
        {"id": style.name, "title": style.title, "artist": style.artist, "year": style.year}
        for style in services.gallery.built_in()
    ]
    session = find_session(services.sessions)
    own = [] if session is None else list(session.styles.values())
    styles += [{"id": style.id, "title": style.title, "artist": "", "year": None} for style in own]
    for style in styles:
        style["sample"] = f"/api/styles/{style['id']}/sample"
    return {
        "version": stylizer.__version__,
        "engine": services.gallery.runtime.description,
        "styles": styles,
        "limits": _limits(services.config),
        "methods": ["fast", "gatys"],
        "video_formats": VIDEO_FORMATS,
    }


def _limits(config: WebConfig) -> dict[str, float]:
    return {
        "upload_bytes": config.upload_bytes,
        "style_bytes": config.style_bytes,
        "pixels": config.pixels,
        "video_pixels": config.video_pixels,
        "gatys_pixels": config.gatys_pixels,
        "video_seconds": config.video_seconds,
        "queue": config.max_queue,
        "clients": config.max_clients,
        "styles": config.max_styles,
        "iterations": config.iterations,
        "live_short_side": config.live_short_side,
    }
