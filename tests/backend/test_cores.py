"""How many cores there are to use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stylizer.backend.cores import cpu_facts, usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux binds processes to cores")
def test_cores_that_the_process_is_not_bound_to_do_not_count() -> None:
    program = (
        "import os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from stylizer.backend.cores import usable_cores\n"
        "print(usable_cores())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["1"]


def test_a_container_s_quota_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from loky.backend import context

    monkeypatch.setattr(context, "_cpu_count_affinity_set", lambda: set(range(8)))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    whole = usable_cores()
    monkeypatch.setattr(context, "_cpu_count_cgroup", lambda count: min(count, 3))
    assert usable_cores() == min(whole, 3)
    assert whole >= 1


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="not on Linux")
def test_linux_says_what_the_cpu_can_do() -> None:
    facts = cpu_facts()
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    assert flags & {"sse2", "asimd"}
    assert "processor" in facts and ":" not in "".join(facts)
