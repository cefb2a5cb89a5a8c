"""Calculators that predate ``ase.calculators.calculator.Calculator``."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from glass_core import GlassError

_INTERFACE = ("get_property", "calculate", "check_state", "calculation_required", "results", "implemented_properties")
_METHODS = {
    "energy": "get_potential_energy",
    "energies": "get_potential_energies",
    "forces": "get_forces",
    "stress": "get_stress",
    "stresses": "get_stresses",
    "dipole": "get_dipole_moment",
    "charges": "get_charges",
    "magmom": "get_magnetic_moment",
    "magmoms": "get_magnetic_moments",
}


def modern(base: Any) -> Any:
    """``base``, wrapped if it has no ``get_property`` of its own.

    Raises:
        GlassError: if ``base`` is no calculator.
    """
    if isinstance(base, type):
        raise GlassError(f"base must be a calculator, got the class {base.__name__}; write {base.__name__}()")
    if all(hasattr(base, name) for name in _INTERFACE):
        return base
    if not hasattr(base, "get_potential_energy") or isinstance(base, Atoms):
        raise GlassError(f"base must be an ASE calculator such as EMT(), got {type(base).__name__}")
    return OldStyle(base)


class OldStyle(Calculator):
    """An old calculator, known only by ``get_potential_energy(atoms)`` and the like, behind today's interface.

    Args:
        wrapped: the calculator; it is called once per property and change of the atoms.
    """

    def __init__(self, wrapped: Any) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.implemented_properties = [name for name, method in _METHODS.items() if hasattr(wrapped, method)]
        if "force_consistent" in inspect.signature(wrapped.get_potential_energy).parameters:
            self.implemented_properties.append("free_energy")

    def _get_name(self) -> str:
        return type(self.wrapped).__name__.lower()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Asks the old calculator for ``properties`` only."""
        super().calculate(atoms, properties, system_changes)
        target = self.atoms if atoms is None else atoms
        for name in properties:
            if name == "free_energy":
                self.results[name] = self.wrapped.get_potential_energy(target, force_consistent=True)
            else:
                self.results[name] = getattr(self.wrapped, _METHODS[name])(target)

    def set_atoms(self, atoms: Atoms) -> None:
        """Passes on ASE's notice that the calculator was attached to ``atoms``."""
        if hasattr(self.wrapped, "set_atoms"):
            self.wrapped.set_atoms(atoms)
