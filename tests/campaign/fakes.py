"""Searches without a potential: random numbers, in known distributions, the same for the same atom and number."""

from __future__ import annotations

import os
import pathlib
import time
from dataclasses import dataclass

import numpy as np

from glass_core.campaign.header import Header
from glass_core.potentials.base import Region
from glass_core.saddle.elastic import elastic_error
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import ArtnSettings
from glass_core.structure import Structure
from glass_core.testing import example_glass

ALL = -2
WITHIN, BETWEEN, MEAN, ACCEPTANCE = 0.5, 0.3, 1.7, 0.7


def true_means(seed: int, n_atoms: int) -> np.ndarray:
    """Mean barrier of each atom, eV."""
    return MEAN + BETWEEN * np.random.default_rng(seed).standard_normal(n_atoms)


@dataclass(frozen=True)
class FakeSearcher:
    """Barriers N(mean of the atom, 0.5 eV), 70 % accepted.

    Attributes:
        n_atoms: of the structure.
        seed: of means and searches.
        seconds: to sleep for each.
        dies: file; the search of atom 3, number 1 kills its process while the file does not exist, having made it.
        breaks: atom whose searches raise, or ``ALL``.
        log: file that gets atom, number and time of each search when it is done; "" for none.
    """

    n_atoms: int
    seed: int = 0
    seconds: float = 0.0
    dies: str = ""
    breaks: int = -1
    log: str = ""

    def bound(self) -> FakeSearch:
        return FakeSearch(self, true_means(self.seed, self.n_atoms))


class FakeSearch:
    def __init__(self, settings: FakeSearcher, mean_n: np.ndarray) -> None:
        self._settings, self._mean_n = settings, mean_n

    def __call__(self, atom: int, number: int) -> SearchRecord:
        if self._settings.seconds:
            time.sleep(self._settings.seconds)
        if self._settings.dies and (atom, number) == (3, 1):
            self._die(pathlib.Path(self._settings.dies))
        if self._settings.breaks in (atom, ALL):
            raise ArithmeticError("no convergence")
        record = fake_record(self._settings.seed, atom, number, self._settings.n_atoms, self._mean_n[atom])
        if self._settings.log:
            with pathlib.Path(self._settings.log).open("a") as log:
                log.write(f"{atom} {number} {time.time()}\n")
        return record

    def _die(self, marker: pathlib.Path) -> None:
        if marker.name == "always" or not marker.exists():
            marker.touch()
            os._exit(1)


def fake_record(seed: int, atom: int, number: int, n_atoms: int = 32, mean: float = MEAN) -> SearchRecord:
    rng = np.random.default_rng([seed, atom, number])
    calls = tuple(rng.integers(0, 300, 4).tolist())
    if rng.random() > ACCEPTANCE:
        return SearchRecord(atom, number, State.LOST, calls=calls, seconds=rng.random())
    barrier = mean + WITHIN * rng.standard_normal()
    moved = np.sort(rng.choice(n_atoms, rng.integers(1, min(20, n_atoms) + 1), replace=False)).astype(np.int32)
    saddle, final = rng.normal(size=(2, len(moved), 3))
    first = barrier + 0.1
    error = elastic_error(first, barrier, 10.0, 15.0)
    return SearchRecord(
        atom, number, State.ACCEPTED, barrier, first, error, 0.4, -1.5, moved, saddle, final, calls, calls[::-1],
        rng.random(),
    )  # fmt: skip


def fake_header(structure: Structure, seed: int = 0, settings: ArtnSettings | None = None) -> Header:
    return Header(
        structure, np.arange(1, structure.n_atoms + 1), "fake", "f" * 64, settings or ArtnSettings(), seed,
        structure.positions_nc, {"file": "glass.dump"},
    )  # fmt: skip


def small_glass() -> Structure:
    return example_glass(("Cu", "Zr"), cells=2, seed=2)


@dataclass(frozen=True)
class Well:
    """Atoms in harmonic wells of 10 eV/Å², each ``off`` Å beside its place in the structure.

    Attributes:
        off: along x, Å.
        name: of the potential.
        knows: species.
    """

    off: float = 0.0
    name: str = "well"
    knows: tuple[str, ...] = ("Cu", "Zr")

    @property
    def digest(self) -> str:
        return self.name[0] * 64

    def bind(self, structure: Structure) -> BoundWell:
        structure.with_species(self.knows, f"potential {self.name}")
        return BoundWell(self, structure)


@dataclass(frozen=True, eq=False)
class BoundWell:
    well: Well
    structure: Structure

    def region(self, centre: int, radius: float | None) -> Region:
        return Region(np.arange(self.structure.n_atoms, dtype=np.int32), self)

    def energy_forces(self, positions_nc: np.ndarray) -> tuple[float, np.ndarray]:
        away = positions_nc - self.structure.positions_nc
        away[:, 0] -= self.well.off
        return 5.0 * float((away**2).sum()), -10.0 * away


def fake_potential(text: str) -> Well:
    """What ``potential_of`` would give: a name, and after a colon the displacement of the wells."""
    name, _, off = text.partition(":")
    return Well(float(off or 0), name)


@dataclass(frozen=True, eq=False)
class FakeFromPotential:
    """Takes the place of ``Searcher``."""

    structure: Structure
    potential: Well
    settings: ArtnSettings
    seed: int = 0

    def bound(self) -> FakeSearch:
        return FakeSearcher(self.structure.n_atoms, self.seed).bound()
