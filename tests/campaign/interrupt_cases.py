"""A Ctrl-C is kept until somebody asks, wherever it arrives: cases that ``test_interrupts`` runs."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from glass_core.campaign.interrupts import Interrupts, deaf_processes


def an_interrupt_in_a_garbage_collection_is_not_lost() -> None:
    def interrupted(phase: str, info: object) -> None:
        if phase == "start":
            signal.raise_signal(signal.SIGINT)

    with Interrupts() as interrupts:
        gc.callbacks.append(interrupted)
        gc.collect()
        gc.callbacks.remove(interrupted)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def the_second_one_is_raised_at_once() -> None:
    with Interrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def the_handler_of_a_polite_kill_acts_at_the_check() -> None:
    killed: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: killed.append(number))
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGTERM)
            assert not killed
            interrupts.check()
            assert killed == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            interrupts.check()
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def other_threads_leave_signals_alone() -> None:
    usual = signal.getsignal(signal.SIGINT)
    seen = []

    def body() -> None:
        with Interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [usual]


def one_that_nobody_asked_for_acts_in_the_end() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
    interrupts = Interrupts()
    interrupts.__enter__()
    signal.raise_signal(signal.SIGINT)
    interrupts.__exit__(ValueError)  # which is on its way already
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def processes_started_in_a_deaf_block_get_no_interrupt() -> None:
    ask = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"

    def deaf() -> bool:
        return "True" in subprocess.run([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True).stdout

    def interrupted() -> None:
        with deaf_processes():
            assert deaf()
            with ThreadPoolExecutor() as threads:
                assert threads.submit(deaf).result()
            signal.raise_signal(signal.SIGINT)  # waits
            assert deaf()

    assert not deaf()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not deaf()
