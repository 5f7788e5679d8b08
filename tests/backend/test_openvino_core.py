"""OpenVINO, as the whole project imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")


def test_openvino_tells_nobody_of_its_use(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from stylizer.backend.openvino_core import shared_core\n"
        "shared_core()\n"
        "print(*[name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )
    # else it stays quiet anyway, as on machines that test
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    assert list(tmp_path.iterdir()) == []
