"""The addresses of photos and videos: handed in, watched, cancelled, fetched, removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from flask import Flask, Response, jsonify, request, send_file

from stylizer.web.forms import display_name, uploaded_file
from stylizer.web.job import UPLOAD, Job, Work
from stylizer.web.options import read_object, read_photo_options, read_video_options
from stylizer.web.pictures import read_upload
from stylizer.web.refusal import Refusal
from stylizer.web.services import Services
from stylizer.web.sessions import Session
from stylizer.web.uploads import check_video
from stylizer.web.visits import current_session, find_session
from stylizer.web.work import PhotoWork, VideoWork

__all__ = ["add_job_routes"]

Values = dict[str, Any]


def add_job_routes(app: Flask, services: Services) -> None:
    """Give an application the addresses of its jobs."""
    _add_uploads(app, services)
    _add_jobs(app, services)


def _add_uploads(app: Flask, services: Services) -> None:
    config, gallery = services.config, services.gallery

    @app.post("/api/photos")
    def photo() -> tuple[Response, int]:
        def make(session: Session, source: Path, values: Values) -> Work:
            options = read_photo_options(values, most_iterations=config.iterations)
            styles = gallery.styles(options.styles, session.styles)
            read_upload(source, most_pixels=config.pixels)
            return PhotoWork(
                gallery=gallery,
                source=source,
                styles=styles,
                options=options,
                pixels=config.pixels,
                gatys_pixels=config.gatys_pixels,
            )

        return _submit(services, "photo", make)

    @app.post("/api/videos")
    def video() -> tuple[Response, int]:
        def make(session: Session, source: Path, values: Values) -> Work:
            options = read_video_options(values)
            styles = gallery.styles(options.styles, session.styles)
            check_video(source, services.video_limits)
            return VideoWork(
                gallery=gallery,
                source=source,
                styles=styles,
                options=options,
                most_frames=services.video_limits.frames,
            )

        return _submit(services, "video", make)


def _submit(
    services: Services,
    kind: Literal["photo", "video"],
    make: Callable[[Session, Path, Values], Work],
) -> tuple[Response, int]:
    """Take in the request's upload, and put it in the queue.

    Raises:
      Refusal: there is no room, or something is wrong with the upload or its options.
    """
    session = current_session(services.sessions)
    # The body of the request is read within: so many uploads come in at once, and no more.
    with services.jobs.receive(session) as place, _new_folder(services) as folder:
        file = uploaded_file("content", most_bytes=services.config.upload_bytes)
        values = read_object(request.form.get("options"), name="options")
        source = folder / UPLOAD
        file.save(source)
        job = Job(
            kind=kind,
            name=display_name(file.filename, otherwise=kind),
            session=session,
            folder=folder,
            work=make(session, source, values),
        )
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
            raise Refusal(404, "no_result", f"there is no result: the job is {job.state}")
        name = f"{job.name} painted{job.result.suffix}"
        try:
            return send_file(job.result, as_attachment=True, download_name=name)
        except FileNotFoundError:
            raise Refusal(404, "no_result", "the result has just been removed") from None

    @app.get("/api/jobs/<id>/preview")
    def preview(id: str) -> Response:
        job = find(id)
        if job.preview is None:
            raise Refusal(404, "no_preview", "there is nothing to see yet")
        return Response(job.preview, mimetype="image/jpeg")
