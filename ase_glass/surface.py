"""The energy surface of ASE's atoms, as saddle searches walk on it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.constraints import FixAtoms

from glass_core import GlassError
from glass_core.saddle.walk import Freedom
from glass_core.structure import Floats, Ints


class AseSurface:
    """Energy and forces of the atoms that no ``FixAtoms`` holds, by their calculator.

    Works on a copy: the atoms stay where they are, their calculator is shared. Energies are relative to that of the
    atoms as given, and consistent with the forces (``free_energy``) where the calculator knows them.

    Args:
        atoms: with a calculator; ``FixAtoms`` is the only constraint allowed.
        freedom: what may move as a whole without a change of energy: "none", "translation" or "rotation" (which
            includes translation). Default: "none" if atoms are fixed, else "translation" in a box that is periodic in
            any direction and "rotation" without one. Say "none" for atoms in an external field.

    Attributes:
        moving_m: indices of the atoms that move, shape (m,).
        start_mc: their positions, Å, shape (m, 3).
        reference: energy of the atoms as given, eV.
        freedom: see above.

    Raises:
        GlassError: without atoms, a calculator or an atom that may move, or for another constraint.

    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> atoms = bulk("Cu", cubic=True)
    >>> atoms.calc = EMT()
    >>> surface = AseSurface(atoms)
    >>> surface.energy_forces(surface.start_mc)[0]
    0.0
    """

    def __init__(self, atoms: Atoms, freedom: Freedom | None = None) -> None:
        if not isinstance(atoms, Atoms):
            raise GlassError(f"a surface needs ase.Atoms, got {type(atoms).__name__}; give the atoms inside of it")
        if atoms.calc is None:
            raise GlassError("the atoms have no calculator; set atoms.calc to one, such as EMT()")
        self.moving_m = moving_atoms(atoms)
        self._atoms = atoms.copy()
        self._atoms.set_constraint()
        self._atoms.calc = atoms.calc
        self._consistent = _knows_free_energy(self._atoms)
        self.start_mc: Floats = self._atoms.positions[self.moving_m]
        self.reference = self._energy()
        self.freedom: Freedom = freedom or _freedom(atoms, self.moving_m)

    def energy_forces(self, positions_mc: Floats) -> tuple[float, Floats]:
        """Energy above that of the atoms as given, eV, and forces on the moving atoms, eV/Å, shape (m, 3)."""
        self._atoms.positions[self.moving_m] = positions_mc
        forces = np.asarray(self._atoms.get_forces(), dtype=np.float64)[self.moving_m]
        return self._energy() - self.reference, forces

    def restart(self) -> None:
        """Has the calculator forget earlier calls, so that a search does not depend on what was searched before."""
        _forget(self._atoms.calc)
        self._atoms.positions[self.moving_m] = self.start_mc
        self.reference = self._energy()

    def placed(self, positions_mc: Floats) -> Atoms:
        """A copy of the atoms with the moving ones there, without calculator and constraints."""
        atoms = self._atoms.copy()
        atoms.positions[self.moving_m] = positions_mc
        return atoms

    def results(self, positions_mc: Floats) -> dict[str, Any]:
        """ASE's standard results there: ``energy``, eV, and ``forces`` on all atoms, eV/Å."""
        self._atoms.positions[self.moving_m] = positions_mc
        return {"energy": self._energy(), "forces": self._atoms.get_forces()}

    def _energy(self) -> float:
        return float(self._atoms.get_potential_energy(force_consistent=self._consistent))


def _forget(calculator: Any) -> None:
    """Resets a calculator, and those that it adds up."""
    if callable(getattr(calculator, "reset", None)):
        with suppress(TypeError):  # one that wants arguments is not ASE's
            calculator.reset()
    elif isinstance(getattr(calculator, "results", None), dict):  # ASE's BaseCalculator, as of a sum
        calculator.atoms, calculator.results = None, {}
    for part in getattr(getattr(calculator, "mixer", calculator), "calcs", ()):
        _forget(part)


def moving_atoms(atoms: Atoms) -> Ints:
    """Indices of the atoms that no ``FixAtoms`` holds, ascending.

    Raises:
        GlassError: for another constraint, or if no atom is left.
    """
    moves = np.ones(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        if not isinstance(constraint, FixAtoms):
            raise GlassError(
                f"a saddle search respects FixAtoms alone, got {type(constraint).__name__}; remove that constraint "
                "(motion as a whole is taken out without one)"
            )
        moves[constraint.index] = False
    if not moves.any():
        raise GlassError(f"none of the {len(atoms)} atoms may move; free some of them from FixAtoms")
    return np.flatnonzero(moves).astype(np.int32)


def _freedom(atoms: Atoms, moving_m: Ints) -> Freedom:
    if len(moving_m) < len(atoms):
        return "none"
    return "translation" if atoms.pbc.any() else "rotation"


def _knows_free_energy(atoms: Atoms) -> bool:
    """Whether the calculator gives the energy whose gradient its forces are."""
    try:
        atoms.get_potential_energy(force_consistent=True)
    except PropertyNotImplementedError:
        return False
    return True
