"""How far work is, on a terminal and in a log; what is written is decided by ``pace`` alone, without a clock."""

from __future__ import annotations

import sys
import time

import pytest

from glass_core.cli import progress as module
from glass_core.cli.pace import Pace, State, details, duration, line, per_time
from glass_core.cli.progress import counted, progress, stages

SEARCHING = State("searching", 1234, 4000, 1200, "searches", "70 % accepted, 2 workers")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundredths of a second take the place of seconds and minutes."""
    for name in ("_FIRST", "_EVERY", "_LOOK", "_LOOK_BAR"):
        monkeypatch.setattr(module, name, 0.01)


def test_the_rate_is_that_of_the_last_minutes() -> None:
    pace = Pace()
    slow = [pace.rate(float(now), 0.1 * now) for now in range(600)]
    assert slow[-1] == pytest.approx(0.1)
    fast = [pace.rate(600.0 + now, 60 + 10.0 * now) for now in range(400)]
    assert fast[30] < 2
    assert fast[-1] == pytest.approx(10)


def test_what_earlier_runs_left_is_no_rate() -> None:
    pace = Pace()
    assert [pace.rate(now, 5000.0) for now in (0.0, 0.5, 1.9, 2.5, 60.0)] == [None] * 5
    assert pace.rate(62.0, 5060.0) == pytest.approx(1.0, rel=0.02)


def test_lines_say_what_is_known() -> None:
    told = details(SEARCHING, 720.0, 1.71)
    assert told == "1234 of 4000 after 12 min, 27 min left, 1.7 searches/s, 70 % accepted, 2 workers"
    assert line(SEARCHING, 720.0, None) == (
        "searching: 30 %, 1234 of 4000 after 12 min, 70 % accepted, 2 workers"
    )  # fmt: skip
    assert line(State("training", 0.9999, 1.0), 5.0, 1.0).startswith("training: 99 %")
    assert line(State("compiling"), 20.0, None) == "compiling: after 20 s"
    assert line(State("searching", 0, 0, 0, "searches"), 1.0, None) == "searching: 0 of 0 after 1 s"
    assert "left" not in line(State("predicting", 1.0, 1.0, 1.0), 60.0, 0.01)


def test_units_suit_the_size() -> None:
    assert [duration(s) for s in (0.0, 89.0, 91.0, 5399.0, 5401.0, 2e5)] == [
        "0 s", "89 s", "2 min", "90 min", "1.5 h", "2.3 days",
    ]  # fmt: skip
    rates = [per_time(rate, "searches") for rate in (2300.0, 7.25, 0.3, 0.005, 1e-5)]
    assert rates == ["2300 searches/s", "7.2 searches/s", "18.0 searches/min", "18.0 searches/h", "0.0 searches/h"]


def test_a_log_gets_a_line_now_and_then(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with counted("searching", "searches") as tell:
        for done in range(100, 130):
            tell(done, 400, done - 100, "50 % accepted")
            time.sleep(0.005)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 30
    assert all(one.startswith("searching: ") and one.endswith("50 % accepted") for one in lines)
    assert lines[-1].startswith("searching: 32 %, 129 of 400 after 0 s")


def test_time_goes_on_where_nothing_is_told(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with progress("compiling"):
        time.sleep(0.1)
    assert capsys.readouterr().err.count("compiling: after 0 s\n") >= 2


def test_short_work_leaves_no_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    with progress("predicting") as tell:
        tell(0.5)
        time.sleep(0.05)
    assert not capsys.readouterr().err


def test_the_last_line_also_comes_after_an_interrupt(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        with stages() as tell:
            tell("training", 0.2)
            time.sleep(0.05)
            tell("training", 0.3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert capsys.readouterr().err.splitlines()[-1].startswith("training: 30 %")


def test_quiet_means_nothing(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with stages(quiet=True) as first, progress("predicting", quiet=True) as second:
        first("training {0}", 0.5)
        second(0.5)
        time.sleep(0.05)
    assert not capsys.readouterr().err


def test_a_terminal_gets_a_bar_that_vanishes(quick: None, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with stages() as tell:
        tell("fold {3}", 0.5)
        time.sleep(0.1)
    shown = capsys.readouterr().err
    assert "fold {3}:  50%|" in shown
    assert "after 0 s" in shown
    assert shown.endswith("\r")
    assert "\nfold" not in shown


def test_a_log_that_nobody_can_write_stops_no_work(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> int:
        raise BrokenPipeError

    with progress("predicting") as tell:
        monkeypatch.setattr(sys.stderr, "write", broken)
        tell(0.5)
        time.sleep(0.05)
        monkeypatch.undo()
