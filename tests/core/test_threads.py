"""Ranges for compiled kernels, and how many threads run them."""

from __future__ import annotations

import threading

import pytest

from glass_core.threads import for_ranges, thread_count


@pytest.mark.parametrize("n_items", [0, 1, 255, 256, 257, 1000, 100_003])
@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_ranges_cover_everything_once(n_items: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    seen: list[tuple[int, int]] = []
    lock = threading.Lock()

    def kernel(start: int, stop: int) -> None:
        with lock:
            seen.append((start, stop))

    for_ranges(kernel, n_items)
    covered = [item for start, stop in sorted(seen) for item in range(start, stop)]
    assert covered == list(range(n_items))


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def kernel(start: int, stop: int) -> None:
        if start > 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        for_ranges(kernel, 10_000)


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("4,2", 4), ("0", None), ("many", None), ("", None)])
def test_threads_follow_the_environment(value: str, expected: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert thread_count() == expected if expected else thread_count() >= 1
