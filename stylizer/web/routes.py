"""The addresses: the page, what it needs to know, its styles, its jobs and its live socket."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from flask import Flask, Response, jsonify, request, send_file

import stylizer
from stylizer.styles.tuning import TUNED_SUFFIX
from stylizer.web.archive import Archive, download_name
from stylizer.web.asgi import GONE
from stylizer.web.config import WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.gallery import OWN, OwnStyle
from stylizer.web.job import UPLOAD, Job
from stylizer.web.options import read_object
from stylizer.web.services import Services
from stylizer.web.sessions import current_session, find_session
from stylizer.web.uploads import (
    VIDEO_FORMATS,
    check_video,
    display_name,
    read_picture,
    read_tuned,
    uploaded_file,
)

__all__ = ["add_routes"]

_PARTS = ("person", "background", "face")
"""That can have styles of their own."""
_ALL_RESULTS = "stylizer-results.zip"


def add_routes(app: Flask, services: Services) -> None:
    """Give an application its addresses."""
    _add_page(app, services)
    _add_styles(app, services)
    _add_uploads(app, services)
    _add_jobs(app, services)

    @app.get("/api/live")
    def live() -> Response:
        raise ApiError(400, "bad_handshake", "expected a WebSocket's handshake at this address")


def _add_page(app: Flask, services: Services) -> None:
    @app.get("/")
    def page() -> Response:
        return app.send_static_file("index.html")

    @app.get("/healthz")
    def health() -> Response:
        return jsonify(status="ok", clients=len(services.clients), jobs=services.jobs.counts())

    @app.get("/api/info")
    def info() -> Response:
        return jsonify(_describe(services))


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
        file = uploaded_file("file", most_bytes=services.config.style_bytes)
        session = current_session(services.sessions)
        services.sessions.check_room(session)
        title = display_name(file.filename, otherwise="My style")
        with (
            closing(file),
            services.sessions.work_for(session),
            services.folder.temporary() as path,
        ):
            file.save(path)
            style, note = _read_style(services, path, title)
        services.sessions.add_style(session, style)
        return jsonify(**_describe_own(style), note=note), 201

    @app.get("/api/styles/<name>/file")
    def style_file(name: str) -> Response:
        session = find_session(services.sessions)
        style = None if session is None else session.styles.get(name)
        if style is None or style.tuned is None:
            raise ApiError(404, "no_style", "you have no tuned style of that name")
        return send_file(
            BytesIO(style.tuned),
            mimetype="application/zip",
            as_attachment=True,
            download_name=f"{style.title}{TUNED_SUFFIX}",
        )

    @app.post("/api/styles/<name>/tune")
    def tune_style(name: str) -> tuple[Response, int]:
        values = read_object(request.get_data(), name="options")
        session = find_session(services.sessions)
        style = None if session is None else session.styles.get(name)
        if session is None or style is None:
            raise ApiError(404, "no_style", "only pictures of your own can be improved")
        with services.jobs.receive(session) as place, _new_folder(services) as folder:
            (folder / UPLOAD).write_bytes(style.jpeg)
            options = {**values, "style": style.id}
            job = services.make_job("style", session, folder, options, style.title)
            services.jobs.submit(job, place=place)
        return jsonify(job=job.id), 202

    @app.delete("/api/styles/<name>")
    def remove_style(name: str) -> tuple[str, int]:
        services.sessions.remove_style(find_session(services.sessions), name)
        return "", 204


def _read_style(services: Services, path: Path, title: str) -> tuple[OwnStyle, str]:
    """Read an uploaded style, a picture or a tuned one; and say what of it is left out.

    Raises:
      ApiError: it cannot be read, or not be used.
    """
    gallery, note = services.gallery, ""
    id = f"{OWN}{secrets.token_hex(8)}"
    tuned = read_tuned(path, most_pixels=services.config.pixels)
    if tuned is None:
        image = read_picture(path, most_pixels=services.config.pixels)
        return gallery.encode(title, image, id=id), note
    name, network, image = tuned
    data: bytes | None = path.read_bytes()
    if network != gallery.network:
        data, note = None, "It was tuned for another network, so its picture alone is used."
    title = display_name(name, otherwise=title)
    return gallery.encode(title, image, id=id, tuned=data), note


def _describe_own(style: OwnStyle) -> dict[str, Any]:
    return {
        "id": style.id,
        "title": style.title,
        "artist": "",
        "year": None,
        "tuned": style.tuned is not None,
    }


def _describe(services: Services) -> dict[str, Any]:
    """Describe the server, with the visitor's own styles after the built-in ones."""
    styles: list[dict[str, Any]] = [
        {
            "id": style.name,
            "title": style.title,
            "artist": style.artist,
            "year": style.year,
            "tuned": style.tuning is not None,
        }
        for style in services.gallery.built_in()
    ]
    session = find_session(services.sessions)
    own = [] if session is None else list(session.styles.values())
    styles += [_describe_own(style) for style in own]
    for style in styles:
        style["sample"] = f"/api/styles/{style['id']}/sample"
    return {
        "version": stylizer.__version__,
        "engine": services.gallery.runtime.description,
        "styles": styles,
        "limits": _limits(services.config),
        "methods": ["fast", "gatys"],
        "parts": {part: services.gallery.why_not(part) for part in _PARTS},
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
        "jobs": config.max_jobs,
        "clients": config.max_clients,
        "styles": config.max_styles,
        "iterations": config.iterations,
        "tune_minutes": config.tune_minutes,
        "keep_seconds": config.keep_seconds,
        "live_short_side": config.live_short_side,
    }


def _add_uploads(app: Flask, services: Services) -> None:
    config = services.config

    @app.post("/api/photos")
    def photo() -> tuple[Response, int]:
        def check(path: Path) -> None:
            read_picture(path, most_pixels=config.pixels)

        return _submit(services, "photo", check)

    @app.post("/api/videos")
    def video() -> tuple[Response, int]:
        def check(path: Path) -> None:
            check_video(path, seconds=config.video_seconds, pixels=config.video_pixels)

        return _submit(services, "video", check)


def _submit(
    services: Services, kind: Literal["photo", "video"], check: Callable[[Path], None]
) -> tuple[Response, int]:
    """Look at the request's upload, and put it in the queue.

    Raises:
      ApiError: there is no room, or something is wrong with the upload or its options.
    """
    file = uploaded_file("content", most_bytes=services.config.upload_bytes)
    values = read_object(request.form.get("options"), name="options")
    session = current_session(services.sessions)
    with (
        closing(file),
        services.sessions.work_for(session),
        services.jobs.receive(session) as place,
        _new_folder(services) as folder,
    ):
        file.save(folder / UPLOAD)
        name = display_name(file.filename, otherwise=kind)
        job = services.make_job(kind, session, folder, values, name)
        check(folder / UPLOAD)
        services.jobs.submit(job, place=place)
    return jsonify(job=job.id), 202


@contextmanager
def _new_folder(services: Services) -> Iterator[Path]:
    """Yield a new folder, which is removed if the block fails."""
    folder = services.folder.new()
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _add_jobs(app: Flask, services: Services) -> None:
    jobs = services.jobs

    def find(id: str) -> Job:
        return jobs.find(find_session(services.sessions), id)

    @app.get("/api/jobs")
    def all_jobs() -> Response:
        session = find_session(services.sessions)
        return jsonify([jobs.describe(job) for job in jobs.of(session)])

    @app.get("/api/jobs/<id>")
    def one_job(id: str) -> Response:
        return jsonify(jobs.describe(find(id)))

    @app.post("/api/jobs/<id>/cancel")
    def cancel(id: str) -> Response:
        job = find(id)
        jobs.cancel(job)
        return jsonify(jobs.describe(job))

    @app.delete("/api/jobs/<id>")
    def remove(id: str) -> tuple[str, int]:
        jobs.remove(find(id))
        return "", 204

    @app.get("/api/jobs/<id>/result")
    def result(id: str) -> Response:
        job = find(id)
        if job.result is None or job.state != "done":
            raise ApiError(404, "no_result", f"there is no result: the job is {job.state}")
        try:
            answer = send_file(job.result, as_attachment=True, download_name=download_name(job))
        except FileNotFoundError:
            raise ApiError(404, "no_result", "the result has just been removed") from None
        if "show" not in request.args:  # which the page asks for to show it: nobody has it then
            job.downloaded = True
        return answer

    @app.get("/api/results")
    def results() -> Response:
        archive = Archive(jobs.of(find_session(services.sessions)))
        if not len(archive):
            minutes = round(services.config.keep_seconds / 60)
            raise ApiError(
                404,
                "no_result",
                f"there are no results any more: they are kept for {minutes} minutes; paint again",
            )
        state = request.environ.get("asgi.scope", {}).get("state", {})
        gone: threading.Event = state.get(GONE) or threading.Event()
        answer = Response(archive.stream(ended=gone.is_set), mimetype="application/zip")
        if archive.length is not None:
            answer.content_length = archive.length
        answer.headers["Content-Disposition"] = f"attachment; filename={_ALL_RESULTS}"
        return answer

    @app.get("/api/jobs/<id>/preview")
    def preview(id: str) -> Response:
        job = find(id)
        if job.preview is None:
            raise ApiError(404, "no_preview", "there is nothing to see yet")
        return Response(job.preview, mimetype="image/jpeg")
