"""Campaigns end the same whatever happens to them on the way."""

from __future__ import annotations

import io
import logging
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from glass_core.campaign.label_file import journal_of, read_labels
from glass_core.campaign.labels import Labels
from glass_core.campaign.plans import EachPlan, Plan, Prior, TargetPlan
from glass_core.campaign.run import Campaign, Progress
from glass_core.campaign.work import OwnProcess, Work, Workers
from glass_core.errors import GlassError
from glass_core.structure import Structure
from tests.campaign.conftest import labels_of, same
from tests.campaign.fakes import ALL, FakeSearcher, fake_header, true_means

ROOT = pathlib.Path(__file__).resolve().parents[2]
ATOMS = np.arange(32, dtype=np.int32)


def own(box: Structure, **settings: object) -> Workers:
    return OwnProcess(Work(FakeSearcher(32, **settings), box))  # type: ignore[arg-type]


def dask(box: Structure, processes: int, **settings: object) -> Workers:
    pytest.importorskip("distributed")
    from glass_core.campaign.dask_workers import DaskWorkers

    return DaskWorkers(Work(FakeSearcher(32, **settings), box), processes)  # type: ignore[arg-type]


def run(path: pathlib.Path, box: Structure, workers: Workers, plan: Plan | None = None) -> Labels:
    return Campaign(path, fake_header(box), plan or EachPlan(ATOMS, 5))(workers)


def start(
    path: pathlib.Path, searches: int, workers: int, seconds: float, limit: int = 0, log: pathlib.Path | str = ""
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.campaign.runner", path, searches, workers, seconds, limit, log]
    return subprocess.Popen(
        [str(c) for c in command], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def wait_for(path: pathlib.Path, searches: int, process: subprocess.Popen[str]) -> None:
    """Until a journal holds so many searches."""
    for _ in range(3000):
        if journal_of(path).exists() and journal_of(path).stat().st_size and len(read_labels(path)) >= searches:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    pytest.fail("no searches were kept")


def test_progress_is_told(tmp_path: pathlib.Path, box: Structure) -> None:
    told: list[Progress] = []
    campaign = Campaign(tmp_path / "l.h5", fake_header(box), EachPlan(ATOMS, 5))
    labels = campaign(own(box), told.append)
    assert same(labels, labels_of(box, 5))
    assert (told[0].done, told[-1].done, told[-1].total, told[-1].workers) == (0, 160, 160, 1)
    assert told[-1].accepted == labels.accepted_r.sum()


def test_more_searches_and_other_atoms_extend(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    run(path, box, own(box), EachPlan(ATOMS[::3], 2))
    run(path, box, own(box), EachPlan(ATOMS[::2], 5))
    assert same(run(path, box, own(box)), labels_of(box, 5))


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_and_resume_give_the_same(tmp_path: pathlib.Path, box: Structure, workers: int) -> None:
    if workers > 1:
        pytest.importorskip("distributed")
    path, rng = tmp_path / "l.h5", random.Random(workers)
    known = 0
    for _ in range(3 if workers == 1 else 1):
        process = start(path, 50, workers, 0.02)
        wait_for(path, known + rng.randrange(5, 30), process)
        process.kill()
        process.communicate()
        known = len(read_labels(path))
        assert known < 50 * 32
    assert not path.exists()
    finish(start(path, 50, workers, 0.0))
    assert same(read_labels(path), labels_of(box, 50))
    assert not journal_of(path).exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_loses_one_search_per_worker_at_most(tmp_path: pathlib.Path, workers: int) -> None:
    if workers > 1:
        pytest.importorskip("distributed")
    path, log = tmp_path / "l.h5", tmp_path / "log"
    process = start(path, 50, workers, 0.02, 0, log)
    wait_for(path, 30, process)
    killed = time.time()
    process.kill()
    process.communicate()
    labels = read_labels(path)
    kept = set(zip(labels["atom"].tolist(), labels["number"].tolist(), strict=True))
    lines = [line.split() for line in log.read_text().splitlines()]
    done = {(int(atom), int(number)) for atom, number, when in lines if float(when) < killed}
    assert len(done) >= 30
    assert len(done - kept) <= workers


@pytest.mark.parametrize(("workers", "terminal"), [(1, True), (2, False), (2, True)])
def test_an_interrupt_leaves_a_whole_file(tmp_path: pathlib.Path, box: Structure, workers: int, terminal: bool) -> None:
    """A terminal sends it to the workers too, who must not answer with a traceback each."""
    if workers > 1:
        pytest.importorskip("distributed")
    path = tmp_path / "l.h5"
    process = start(path, 50, workers, 0.02)
    wait_for(path, 5, process)
    (os.killpg if terminal else os.kill)(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1, errors
    assert path.exists()
    assert not journal_of(path).exists()
    assert 5 <= len(read_labels(path)) < 50 * 32
    finish(start(path, 50, 1, 0.0))
    assert same(read_labels(path), labels_of(box, 50))


def test_workers_do_not_change_the_result(tmp_path: pathlib.Path, box: Structure) -> None:
    one = run(tmp_path / "one.h5", box, own(box))
    two = run(tmp_path / "two.h5", box, dask(box, 2))
    assert same(one, two)


@pytest.mark.parametrize("informed", [False, True])
def test_workers_do_not_change_what_is_searched(tmp_path: pathlib.Path, box: Structure, informed: bool) -> None:
    prior = Prior(true_means(0, 32) + 0.1, np.full(32, 0.4)) if informed else None
    plan = TargetPlan(ATOMS, 0.15, 3, 30, prior)
    one = run(tmp_path / "one.h5", box, own(box), plan)
    two = run(tmp_path / "two.h5", box, dask(box, 2), plan)
    assert same(one, two)
    assert len(set(np.bincount(one["atom"]).tolist())) > 3


def test_a_worker_that_dies_is_replaced(tmp_path: pathlib.Path, box: Structure) -> None:
    labels = run(tmp_path / "l.h5", box, dask(box, 2, dies=str(tmp_path / "died")))
    assert (tmp_path / "died").exists()
    assert same(labels, labels_of(box, 5))


def test_a_worker_that_dies_with_a_done_block_is_replaced(
    tmp_path: pathlib.Path, box: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask then takes back that the block is done, before or after it is asked for."""
    dask_workers = pytest.importorskip("glass_core.campaign.dask_workers")
    states = []
    look = dask_workers.DaskWorkers._finished

    def lose(self: object, future: Any, todo: object) -> None:
        if not states:
            future._state.lose()
            states.append(future.status)
        look(self, future, todo)

    monkeypatch.setattr(dask_workers.DaskWorkers, "_finished", lose)
    labels = run(tmp_path / "l.h5", box, dask(box, 2))
    assert states == ["lost"]
    assert same(labels, labels_of(box, 5))


def test_a_worker_killed_from_outside_is_replaced(tmp_path: pathlib.Path, box: Structure) -> None:
    import psutil

    killed = []

    def kill(progress: Progress) -> None:
        if progress.searches > 20 and not killed:
            children = psutil.Process().children(recursive=True)
            killed.extend(c for c in children if "spawn_main" in " ".join(c.cmdline()))
            os.kill(killed[0].pid, signal.SIGKILL)

    campaign = Campaign(tmp_path / "l.h5", fake_header(box), EachPlan(ATOMS, 5))
    labels = campaign(dask(box, 2, seconds=0.02), kill)
    assert killed
    assert same(labels, labels_of(box, 5))


def test_workers_that_dask_gave_up_are_started_again(
    tmp_path: pathlib.Path, box: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash on a machine so busy that the new process takes too long."""
    dask_cluster = pytest.importorskip("glass_core.campaign.dask_cluster")
    psutil = pytest.importorskip("psutil")
    monkeypatch.setitem(dask_cluster._QUIET, "distributed.deploy.lost-worker-timeout", "1ms")
    killed = []

    def kill(progress: Progress) -> None:
        if progress.searches > 20 and not killed:
            killed.extend(c for c in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(c.cmdline()))
            for worker in killed:
                worker.kill()

    campaign = Campaign(tmp_path / "l.h5", fake_header(box), EachPlan(ATOMS, 5))
    labels = campaign(dask(box, 2, seconds=0.02), kill)
    assert len(killed) == 2
    assert same(labels, labels_of(box, 5))


def test_a_search_that_always_kills_its_worker_is_named(tmp_path: pathlib.Path, box: Structure) -> None:
    (tmp_path / "always").touch()
    path = tmp_path / "l.h5"
    with pytest.raises(GlassError, match=r"search 1 around atom 3 ended its worker process several times.*--atoms"):
        run(path, box, dask(box, 1, dies=str(tmp_path / "always")))
    assert len(read_labels(path)) >= 150  # all others first, but for those behind it in its block


@pytest.mark.parametrize("processes", [0, 1])
def test_searches_that_fail_stop_nothing_and_are_tried_again(
    tmp_path: pathlib.Path, box: Structure, processes: int
) -> None:
    path = tmp_path / "l.h5"
    if processes:
        labels = run(path, box, dask(box, processes, breaks=4))
    else:
        with pytest.warns(RuntimeWarning, match="search [0-4] around atom 4 failed: ArithmeticError: no"):
            labels = run(path, box, own(box, breaks=4))
    assert labels.states()["failed"] == 5
    assert len(labels) == 5 * 32
    assert same(run(path, box, own(box)), labels_of(box, 5))


@pytest.mark.filterwarnings("ignore:search:RuntimeWarning")
def test_an_atom_that_always_fails_blocks_nothing(tmp_path: pathlib.Path, box: Structure) -> None:
    path = tmp_path / "l.h5"
    for searches in (30, 30, 31):
        labels = run(path, box, own(box, breaks=4), EachPlan(ATOMS, searches))
        assert labels.states()["failed"] == searches
    adaptive = TargetPlan(ATOMS, 0.15, 30, 60)
    for _ in range(2):
        assert run(tmp_path / "t.h5", box, own(box, breaks=4), adaptive).states()["failed"] == 60
    assert same(run(path, box, own(box), EachPlan(ATOMS, 31)), labels_of(box, 31))


@pytest.mark.filterwarnings("ignore:search:RuntimeWarning")
@pytest.mark.parametrize("processes", [0, 1])
def test_nothing_but_failures_ends_a_campaign(tmp_path: pathlib.Path, box: Structure, processes: int) -> None:
    workers = dask(box, processes, breaks=ALL) if processes else own(box, breaks=ALL)
    with pytest.raises(GlassError, match="all of the first 25 searches failed, as the warnings tell"):
        run(tmp_path / "l.h5", box, workers)
    assert not journal_of(tmp_path / "l.h5").exists()
    assert same(run(tmp_path / "l.h5", box, own(box)), labels_of(box, 5))


def test_distributed_says_nothing_itself(
    tmp_path: pathlib.Path, box: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scheduler calls it critical that a client has left, and would print a traceback."""
    pytest.importorskip("distributed")
    logger, printed = logging.getLogger("distributed"), io.StringIO()
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(printed)])
    logger.critical("before")
    campaign = Campaign(tmp_path / "l.h5", fake_header(box), EachPlan(ATOMS, 5))
    campaign(dask(box, 1), lambda progress: logger.critical("during") if progress.searches else None)
    logger.critical("after")
    assert "before" in printed.getvalue()
    assert "during" not in printed.getvalue()
    assert "after" in printed.getvalue()


def test_no_scheduler_there(tmp_path: pathlib.Path, box: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    from glass_core.campaign import dask_cluster, dask_workers

    monkeypatch.setattr(dask_cluster, "_CONNECT", 1)
    workers = dask_workers.DaskWorkers(Work(FakeSearcher(32), box), scheduler="tcp://127.0.0.1:9")
    with pytest.raises(GlassError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9.*leave out --scheduler"):
        run(tmp_path / "l.h5", box, workers)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["nonsense", "10.0.0.1", "http://10.0.0.1:8786", "tcp://10.0.0.1:port"])
def test_no_address_of_a_scheduler(box: Structure, address: str) -> None:
    pytest.importorskip("distributed")
    from glass_core.campaign.dask_workers import DaskWorkers

    with pytest.raises(GlassError, match=f"must read like tcp://10.0.0.1:8786, got '{address}'"):
        DaskWorkers(Work(FakeSearcher(32), box), scheduler=address)


def test_a_running_scheduler_serves_campaigns(tmp_path: pathlib.Path, box: Structure) -> None:
    distributed = pytest.importorskip("distributed")
    from glass_core.campaign.dask_workers import DaskWorkers

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, memory_limit=0
    ) as cluster:
        for seed in (0, 1):
            work = Work(FakeSearcher(32, seed), box)
            campaign = Campaign(tmp_path / f"{seed}.h5", fake_header(box, seed), EachPlan(ATOMS, 5))
            labels = campaign(DaskWorkers(work, scheduler=cluster.scheduler_address))
            assert same(labels, labels_of(box, 5, seed))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_loses_no_finished_search(tmp_path: pathlib.Path, box: Structure, workers: int) -> None:
    if workers > 1:
        pytest.importorskip("distributed")
    path = tmp_path / "l.h5"
    process = start(path, 5000, workers, 0.0, 1_200_000)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2, errors
    assert "File too large; all finished searches are kept: make room and run the same command again" in errors
    assert "Traceback" not in errors
    kept = read_labels(path)
    assert len(kept) > 100
    whole = labels_of(box, int(kept["number"].max()) + 1)
    wanted = {(int(a), int(k)): i for i, (a, k) in enumerate(zip(whole["atom"], whole["number"], strict=True))}
    index = [wanted[int(a), int(k)] for a, k in zip(kept["atom"], kept["number"], strict=True)]
    np.testing.assert_array_equal(kept["barrier"], whole["barrier"][index])
    finish(start(path, 5, 1, 0.0))
    assert len(read_labels(path)) >= len(kept)
