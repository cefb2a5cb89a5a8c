from __future__ import annotations

import threading

import pytest

from glass_core import GlassError
from ovito_glass.background import in_background


def finish(generator):
    """What the generator yields and what it returns."""
    fractions = []
    while True:
        try:
            fractions.append(next(generator))
        except StopIteration as stop:
            return fractions, stop.value


def test_progress_and_result():
    seen = threading.Event()

    def work(progress):
        progress(0.5)
        assert seen.wait(30)
        return "result"

    generator = in_background(work)
    while next(generator) != 0.5:
        pass
    seen.set()
    assert finish(generator)[1] == "result"


def test_errors_keep_their_type():
    def work(progress):
        raise GlassError("no")

    with pytest.raises(GlassError, match=r"^no$"):
        finish(in_background(work))


def test_closing_stops_the_work():
    started, go_on = threading.Event(), threading.Event()
    steps = []

    def work(progress):
        started.set()
        assert go_on.wait(30)
        for step in range(1000):
            steps.append(step)
            progress(step / 1000)

    generator = in_background(work)
    next(generator)
    assert started.wait(30)
    threading.Timer(0.1, go_on.set).start()
    generator.close()
    assert steps == [0]
