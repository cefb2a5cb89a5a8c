"""Tests of the OVITO modifier, in a process of their own."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest


def test_in_a_process_of_their_own() -> None:
    pytest.importorskip("ovito")
    folder = pathlib.Path(__file__).parent / "ovito"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "GLASS_OVITO_TESTS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, env=environment, cwd=folder.parents[1]
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
