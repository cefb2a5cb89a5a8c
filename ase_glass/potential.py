"""Any calculator of ASE as a potential for labelling campaigns."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from glass_core import GlassError
from glass_core.errors import missing_extra, unknown
from glass_core.files import sha256
from glass_core.potentials.around import atoms_around
from glass_core.potentials.base import Region, is_shared_out
from glass_core.structure import Floats, Structure

try:
    import ase
    from ase import Atoms
    from ase.constraints import FixAtoms

    from ase_glass.surface import AseSurface
except ModuleNotFoundError as error:
    raise missing_extra("ase", "ase") from error


@dataclass(frozen=True)
class AsePotential:
    """A calculator, by the function or class that makes it; workers import that by its name.

    Attributes:
        target: ``"package.module:function"``; called without arguments, it returns a calculator.

    >>> AsePotential("ase.calculators.emt:EMT").name
    'ase.calculators.emt:EMT'
    """

    target: str

    def __post_init__(self) -> None:
        """Refuses a target that does not exist at once."""
        _find(self.target)

    @property
    def name(self) -> str:
        """The target."""
        return self.target

    @property
    def digest(self) -> str:
        """Hash of the target, the file that defines it, and the versions of ASE and of the calculator's package.

        Files that the function reads, such as weights, are not covered: name a new one in the function.
        """
        module = importlib.import_module(self.target.partition(":")[0])
        made = type(_make(self.target))
        content = [
            self.target,
            "" if module.__file__ is None else sha256(module.__file__),
            ase.__version__,
            f"{made.__module__}:{made.__qualname__}",
            _version(made.__module__.partition(".")[0]),
        ]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()

    def bind(self, structure: Structure) -> BoundAse:
        """The calculator, made now, for one structure.

        Raises:
            GlassError: if the function does not return a calculator, or that cannot compute the structure.
        """
        atoms = to_atoms(structure)
        atoms.calc = _make(self.target)
        try:
            atoms.get_forces()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise GlassError(
                f"{self.target} cannot compute these atoms ({reason}); choose another potential"
            ) from error
        return BoundAse(structure, atoms)


@dataclass(frozen=True, eq=False)
class BoundAse:
    """A calculator for one structure. It computes the whole box, whatever the region."""

    structure: Structure
    atoms: Atoms

    def region(self, centre: int, radius: float | None) -> Region:
        """The surface of the atoms within ``radius`` Å of an atom, all others being fixed; of all atoms if None."""
        moving_m = atoms_around(self.structure, centre, radius)
        fixed = np.setdiff1d(np.arange(self.structure.n_atoms), moving_m)
        atoms = self.atoms.copy()
        atoms.set_constraint(FixAtoms(fixed) if len(fixed) else None)
        atoms.calc = self.atoms.calc
        return Region(moving_m, AseSurface(atoms))

    def atom_energies(self) -> Floats | None:
        """Energies of atoms, eV, shape (n,), of a calculator that has them (``energies``); None without."""
        if not hasattr(self.atoms.calc, "get_potential_energies"):
            return None
        try:
            energies: Floats = np.asarray(self.atoms.get_potential_energies(), dtype=np.float64)
        except NotImplementedError:  # ASE's, for a property that a calculator lacks
            return None
        fits = energies.shape == (len(self.atoms),) and is_shared_out(energies, self.atoms.get_potential_energy())
        return energies if fits else None


def to_atoms(structure: Structure) -> Atoms:
    """ASE's atoms of a structure whose species are chemical symbols.

    Raises:
        GlassError: for a species that is none.
    """
    cell = np.where(np.array(structure.given)[:, None], structure.cell_cc, 0.0)
    try:
        return Atoms(structure.symbols().tolist(), structure.positions_nc, cell=cell, pbc=structure.pbc)
    except KeyError as error:
        raise GlassError(f"species {error} is no chemical symbol, which ASE needs; give a species map") from error


def _find(target: str) -> Any:
    """The function or class.

    Raises:
        GlassError: if the text is no target, or the module or its attribute does not exist.
    """
    module_name, colon, attribute = target.partition(":")
    if not (colon and module_name and attribute):
        raise GlassError(f"a calculator must be named 'package.module:function', got {target!r}")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise GlassError(
            f"cannot import {module_name!r} of {target!r}: {error}; install it or set PYTHONPATH"
        ) from error
    if not callable(getattr(module, attribute, None)):
        functions = [name for name, value in inspect.getmembers(module, callable) if not name.startswith("_")]
        raise unknown(f"function in {pathlib.Path(module.__file__ or module_name).name}", attribute, functions)
    return getattr(module, attribute)


def _make(target: str) -> Any:
    try:
        calculator = _find(target)()
    except GlassError:
        raise
    except Exception as error:
        raise GlassError(f"{target} makes no calculator: it raised {type(error).__name__}: {error}") from error
    if not hasattr(calculator, "get_potential_energy") or isinstance(calculator, Atoms):
        raise GlassError(f"{target} must return an ASE calculator, got {type(calculator).__name__}")
    return calculator


def _version(package: str) -> str:
    """Version of the distribution that brings a package; "" where none does."""
    names = importlib.metadata.packages_distributions().get(package, [])
    return ",".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(names)))
