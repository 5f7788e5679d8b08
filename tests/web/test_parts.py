"""The parts of the server by themselves: settings, options, visitors, folder, jobs, log, sample."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import time
import weakref
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as pillow

from stylizer.errors import ConfigError, SinkError
from stylizer.io.image import read_image
from stylizer.web import jobs
from stylizer.web.app import create_app
from stylizer.web.config import LogFormat, WebConfig
from stylizer.web.errors import ApiError
from stylizer.web.events import EventFormatter, log_event
from stylizer.web.folder import ServerFolder
from stylizer.web.gallery import SAMPLE
from stylizer.web.job import Cancelled
from stylizer.web.jpeg import decode_frame, encode_jpeg
from stylizer.web.options import LiveSettings, StyleChoice, read_live_settings, read_object
from stylizer.web.sessions import Sessions


def test_settings_are_read_from_the_environment(tmp_path: Path) -> None:
    config = WebConfig.from_environment(
        {
            "STYLIZER_WEB_MAX_CLIENTS": "3",
            "STYLIZER_WEB_KEEP_SECONDS": "1.5",
            "STYLIZER_WEB_FOLDER": str(tmp_path),
            "STYLIZER_WEB_THREADS": "2",
            "STYLIZER_WEB_LOG_FORMAT": "json",
            "OTHER": "x",
        }
    )
    assert (config.max_clients, config.keep_seconds, config.threads) == (3, 1.5, 2)
    assert config.folder == tmp_path
    assert config.log_format == "json"
    assert WebConfig.from_environment({}) == WebConfig()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_CLIENTS", "many"),
        ("MAX_CLIENTS", "0"),
        ("MAX_CLIENT", "1"),
        ("KEEP_SECONDS", "nan"),
        ("KEEP_SECONDS", "inf"),
        ("PORT", "70000"),
        ("ENGINE", "steam"),
        ("LOG_FORMAT", "xml"),
        ("HOST", "0.0.0.0"),
        ("TOKEN", "short"),
    ],
)
def test_wrong_settings_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        WebConfig.from_environment({f"STYLIZER_WEB_{name}": value})


def test_the_application_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = logging.getLogger("stylizer")
    handlers, level, propagate = ours.handlers[:], ours.level, ours.propagate
    monkeypatch.setenv("STYLIZER_WEB_MAX_CLIENTS", "5")
    try:
        app = create_app()
        assert app.extensions["stylizer"].config.max_clients == 5
        assert app.test_client().get("/healthz").status_code == 200
        app.extensions["stylizer"].close()
    finally:
        ours.handlers[:] = handlers
        ours.setLevel(level)
        ours.propagate = propagate
        ours.getChild("web").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"strength": 2}', "strength: expected at most 1, got 2"),
        ('{"strength": "1"}', 'strength: expected a number, got "1"'),
        ('{"keep_color": 1}', "keep_color: expected true or false, got 1"),
        ('{"short_side": 100.5}', "short_side: expected a whole number, got 100.5"),
        ('{"short_side": -5}', "short_side: expected at least 32, got -5"),
        ('{"styles": {}}', "styles: expected a list, got {}"),
        ('{"styles": []}', "styles: expected a list of 1 to 4 styles, got 0"),
        ('{"styles": [{}]}', "styles[0].id: expected to be given, got nothing"),
        ('{"styles": [1]}', "styles[0]: expected an object with an id, got 1"),
        (
            '{"styles": [{"id": "a", "weight": 0}]}',
            "styles: expected a style with a weight above 0",
        ),
        (
            '{"size": 1}',
            "'size': no such option; there are styles, strength, keep_color, faces, person_style, "
            "background_style, face_style, coherence, short_side, quality, adapts",
        ),
        ("[]", "message: expected a JSON object, got []"),
    ],
)
def test_an_odd_option_is_named_with_what_was_expected_and_got(text: str, message: str) -> None:
    before = LiveSettings(styles=(StyleChoice(id="a"),))
    with pytest.raises(ApiError) as refused:
        read_live_settings(read_object(text, name="message"), before)
    assert (refused.value.status, refused.value.message) == (400, message)


def test_what_is_not_asked_for_stays_and_styles_without_weight_are_left_out() -> None:
    before = LiveSettings(styles=(StyleChoice(id="a"),), strength=0.5)
    text = '{"styles": [{"id": "b", "weight": 0}, {"id": "c"}], "short_side": 100.0}'
    after = read_live_settings(read_object(text, name="message"), before)
    assert after == replace(before, styles=(StyleChoice(id="c", weight=1.0),), short_side=100)
    assert isinstance(after.short_side, int)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_idle_visitors_are_forgotten_and_busy_ones_are_not() -> None:
    clock = Clock()
    config = WebConfig(max_sessions=10, max_styles=1, keep_seconds=100)
    sessions = Sessions(config, clock=clock)
    idle, used, busy = (sessions.start() for _ in range(3))
    sessions.hold(busy, 1)
    clock.now = 90.0
    sessions.find(used.id)
    clock.now = 150.0
    sessions.sweep()
    assert [sessions.find(session.id) for session in (idle, used, busy)] == [None, used, busy]
    sessions.hold(busy, -1)
    clock.now = 300.0
    sessions.sweep()
    assert len(sessions) == 0


def test_one_visitor_too_many_takes_the_place_of_the_longest_idle() -> None:
    clock = Clock()
    sessions = Sessions(WebConfig(max_sessions=2, max_styles=1, keep_seconds=100), clock=clock)
    first = sessions.start()
    clock.now = 1.0
    second = sessions.start()
    clock.now = 2.0
    sessions.find(first.id)
    third = sessions.start()
    assert sessions.find(second.id) is None
    assert sessions.find(first.id) is first
    for session in (first, third):
        sessions.hold(session, 1)
    with pytest.raises(ApiError) as refused:
        sessions.start()
    assert refused.value.status == 429


def test_a_new_server_removes_what_killed_ones_left_and_nothing_else(tmp_path: Path) -> None:
    old = time.time() - 3600
    dead, alive = (tmp_path / f"stylizer-web-{digit * 16}" for digit in "ab")
    other, alike = tmp_path / "holidays", tmp_path / "stylizer-web-holidays"
    for path in (dead, alive, other, alike):
        path.mkdir()
        (path / "file").touch()
        if path is not alive:
            os.utime(path, (old, old))
    link = tmp_path / f"stylizer-web-{'c' * 16}"
    link.symlink_to(other)
    folder = ServerFolder(tmp_path)
    mine = folder.new().parent
    assert sorted(tmp_path.iterdir()) == sorted([alive, other, alike, link, mine])
    assert (other / "file").exists()
    assert mine.stat().st_mode & 0o077 == 0, "nobody else may look"
    with folder.temporary() as upload:
        upload.write_text("x")
    assert not upload.exists()
    folder.remove()
    assert not mine.exists()
    with pytest.raises(SinkError):
        folder.new()


def test_a_folder_that_someone_cleared_is_made_again(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "cache")
    shutil.rmtree(folder.new().parent.parent)
    assert folder.new().is_dir()


def test_each_event_is_one_line_whatever_a_client_writes() -> None:
    record = logging.LogRecord("stylizer.web", logging.INFO, "", 1, "request", None, None)
    record.stylizer_fields = {"path": '/a\nb "c" d=e', "status": 404}
    line = EventFormatter("json").format(record)
    values = json.loads(line)
    assert values["event"] == "request"
    assert values["path"] == '/a\nb "c" d=e'
    assert values["status"] == 404
    text = EventFormatter("text").format(record)
    for form in (line, text):
        assert "\n" not in form
    assert "status=404" in text


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "sign", ["\x1b[31m", "\x07", "\x7f", "\x9b2J", "\u202e", "\r", "\u2028", "\ud800"]
)
def test_nothing_that_a_terminal_obeys_reaches_the_log(form: LogFormat, sign: str) -> None:
    record = logging.LogRecord("stylizer.web", logging.INFO, "", 1, f"a{sign}b", None, None)
    record.stylizer_fields = {"path": f"/{sign}x", f"k{sign}": [sign]}
    line = EventFormatter(form).format(record)
    assert line.isprintable(), ascii(line)
    line.encode()


def test_events_carry_their_fields(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("stylizer.web.test")
    with caplog.at_level(logging.INFO, logger="stylizer.web.test"):
        log_event(log, "job_done", job="x", seconds=1.5)
    values = json.loads(EventFormatter("json").format(caplog.records[-1]))
    assert (values["event"], values["job"], values["seconds"]) == ("job_done", "x", 1.5)
    assert values["level"] == "info"


def test_the_sample_is_small_and_has_much_to_see() -> None:
    assert SAMPLE.stat().st_size < 20_000
    image = read_image(SAMPLE)
    assert image.shape == (240, 320, 3)
    assert image.std((0, 1)).min() > 20


def test_pictures_for_slow_lines_are_smaller_and_the_same() -> None:
    picture = read_image(SAMPLE)[:180, :320]
    plain = BytesIO()
    pillow.fromarray(picture).save(plain, format="JPEG", quality=35)
    small = encode_jpeg(picture, quality=35)
    assert len(small) < 0.97 * len(plain.getvalue())
    same = decode_frame(plain.getvalue(), short_side=180)
    np.testing.assert_array_equal(decode_frame(small, short_side=180), same)


def test_what_a_job_had_loaded_is_gone_when_it_fails() -> None:
    class Network:
        pass

    left: list[weakref.ref[Network]] = []

    def work(job: Any) -> Path:
        network = Network()
        left.append(weakref.ref(network))
        error = Cancelled()  # which holds this frame, and the frame the error
        raise error

    gc.disable()
    try:
        with pytest.raises(Cancelled):
            jobs._work(SimpleNamespace(work=work))  # type: ignore[arg-type]
        assert left[0]() is None
    finally:
        gc.enable()
