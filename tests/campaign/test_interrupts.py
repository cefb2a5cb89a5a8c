"""Signals belong to the whole process, and the libraries in it: each case has one of its own."""

from __future__ import annotations

import inspect
import signal
import subprocess
import sys

import pytest

from tests.campaign import interrupt_cases

CASES = [name for name, case in inspect.getmembers(interrupt_cases, inspect.isfunction)
         if case.__module__ == interrupt_cases.__name__]  # fmt: skip


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
@pytest.mark.parametrize("case", CASES)
def test_interrupts(case: str) -> None:
    code = f"from tests.campaign import interrupt_cases; interrupt_cases.{case}()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
