"""How live frames are paced, on lines and machines that are computed: no clock comes in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.browser import OpenTab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIMULATE = """async (line) => {
  const { Pace } = await import("/static/pace.js");
  const clock = performance.now;
  let now = 0;
  performance.now = () => now;
  const pace = new Pace();
  pace.clear();
  const [busy, events, shown] = [{ up: 0, server: 0, down: 0 }, [], []];
  let [painting, size, warm, taken] = [0, null, line.warm, 0];
  while (now < 1000 * line.seconds) {
    const wait = pace.wait(now, events.length);
    const due = wait < 2 ? now : now + wait;
    if (events.length && events[0].back <= due) {
      const { back, captured, sent, frame, paint } = events.shift();
      now = Math.max(now, back);
      pace.answered(frame, { now, sent, painting });
      painting = paint;
      shown.push({ at: now, latency: now - captured });
      continue;
    }
    now = line.camera * Math.ceil(due / line.camera); // when the camera has the next one
    const captured = now;
    const frame = pace.take(now);
    const { scale, quality } = pace.look;
    const bytes = line.picture * scale * scale * (quality / 0.85) ** 1.5;
    now += line.encoding;
    const sent = now;
    busy.up = Math.max(busy.up, sent) + bytes / line.bytes;
    const hiccup = ++taken % 5 ? 0 : line.hiccup;
    const paint = line.painting * scale * scale + (size === scale && --warm < 0 ? hiccup : 300);
    size = scale;
    busy.server = Math.max(busy.server, busy.up + line.delay) + paint;
    busy.down = Math.max(busy.down, busy.server) + bytes / line.bytes;
    events.push({ back: busy.down + line.delay, captured, sent, frame, paint });
  }
  performance.now = clock;
  const late = shown.filter(({ at }) => at > 500 * line.seconds);
  const latencies = late.map(({ latency }) => latency).sort((a, b) => a - b);
  return {
    fps: (2 * late.length) / line.seconds,
    p95: latencies[Math.floor(0.95 * latencies.length)],
    scale: pace.look.scale,
  };
}"""


def paced(open_tab: OpenTab, **line: float) -> dict[str, Any]:
    """Return rate and latency in the second half of the time, a minute, and the size at its end.

    Args:
      open_tab: opens a page.
      line: ``bytes`` a millisecond, those of a ``picture``, ``delay`` one way, ``painting``,
        ``encoding`` and the ``camera``'s gap in ms; how many frames come before it is ``warm``;
        ms by which every fifth takes longer, its ``hiccup``.
    """
    values = {"bytes": 1e6, "delay": 0.5, "painting": 25, "encoding": 6, "seconds": 60}
    values |= {"picture": 50_000, "camera": 1000 / 30, "warm": 0, "hiccup": 0, **line}
    told: dict[str, Any] = open_tab().evaluate(SIMULATE, values)
    return told


def test_on_this_machine_frames_come_at_the_camera_s_rate_and_soon(open_tab: OpenTab) -> None:
    told = paced(open_tab)
    assert told["fps"] >= 24
    assert told["p95"] < 100
    assert told["scale"] == 1


def test_what_one_late_frame_costs_is_caught_up_with(open_tab: OpenTab) -> None:
    told = paced(open_tab, hiccup=65)
    assert told["fps"] >= 24


def test_a_slow_line_gets_frames_that_it_can_carry(open_tab: OpenTab) -> None:
    told = paced(open_tab, bytes=100, delay=75)
    assert told["fps"] >= 8
    assert told["p95"] < 1000


def test_a_long_line_is_filled_and_keeps_the_size(open_tab: OpenTab) -> None:
    told = paced(open_tab, bytes=5000, delay=100)
    assert told["fps"] >= 15
    assert told["scale"] == 1


def test_a_long_line_is_not_given_up_before_it_is_filled(open_tab: OpenTab) -> None:
    told = paced(open_tab, bytes=5000, delay=100, picture=69_000, seconds=10)
    assert told["fps"] >= 20
    assert told["scale"] == 1


def test_nothing_queues_up_before_a_slow_machine(open_tab: OpenTab) -> None:
    told = paced(open_tab, painting=90)
    assert told["fps"] >= 7
    assert told["p95"] < 400


def test_a_slow_start_is_soon_forgotten(open_tab: OpenTab) -> None:
    told = paced(open_tab, painting=45, warm=4, seconds=12)
    assert told["fps"] >= 20
    assert told["p95"] < 150


def test_the_readout_begins_anew_after_a_pause(open_tab: OpenTab) -> None:
    """Frames that waited for the end of a pause are not among the latencies of those after it."""
    shown = open_tab().evaluate(
        """async () => {
          const { Meter } = await import("/static/meter.js");
          const read = (meter, now) => [meter.fps(now), meter.latency(0.95)].map(Math.round);
          const [steady, slow] = [new Meter(), new Meter()];
          for (let at = 0; at < 2000; at += 40) steady.add(at, 80);
          const before = read(steady, 2000);
          for (const late of [5000, 5001, 5040]) steady.add(late, 3100); // all taken before it
          for (let at = 5100; at < 6100; at += 40) steady.add(at, 90);
          const stalls = new Meter();
          for (let at = 0; at < 4000; at += 40) stalls.add(at, at % 400 ? 80 : 300);
          for (let at = 0; at < 30000; at += 1500) slow.add(at, 1400);
          return [before, read(steady, 6100), read(stalls, 4000), read(slow, 30000)];
        }"""
    )
    assert shown == [[25, 80], [24, 90], [25, 300], [0, 1400]]
