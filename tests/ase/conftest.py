"""Atoms for the tests of the ASE side."""

from __future__ import annotations

import pytest

from glass_core.structure import Structure


@pytest.fixture
def copper():
    """108 rattled atoms of copper, which EMT knows."""
    build = pytest.importorskip("ase.build")
    atoms = build.bulk("Cu", cubic=True) * (3, 3, 3)
    atoms.rattle(0.1, seed=3)
    return atoms


@pytest.fixture
def copper_zirconium(small_glass: Structure):
    """32 disordered atoms of Cu and Zr in a sheared box."""
    ase = pytest.importorskip("ase")
    s = small_glass
    return ase.Atoms(s.symbols().tolist(), s.positions_nc, cell=s.cell_cc, pbc=s.pbc)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the number of atoms at every call of a model."""
    pytest.importorskip("ase")
    from ase_glass import annotation

    counted: list[int] = []
    plain = annotation.predict

    def counting(model, structure, **options):
        counted.append(structure.n_atoms)
        return plain(model, structure, **options)

    monkeypatch.setattr(annotation, "predict", counting)
    return counted
