"""Checks that descriptors and models share: the same atoms told differently give the same values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glass_core.orthogonal import orthogonal, transformed
from glass_core.structure import Ints, Structure, replace_fields
from glass_core.testing.structures import doubled, ghost_cluster, moved
from glass_core.testing.subject import Check, Columns, Subject, require, require_equal, require_refused

_BEYOND = 4.0


def _rows(columns: Columns, rows: NDArray[np.integer]) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def finite(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """No NaN or infinity, and one value per atom."""
    for name, column in subject.values(structure, None).items():
        require(column.shape == (structure.n_atoms,), f"{name} has shape {column.shape}, not ({structure.n_atoms},)")
        bad = np.flatnonzero(~np.isfinite(column))
        require(not bad.size, f"{name} of {bad.size} atoms is not finite, first is atom {bad[:1].tolist()}")


def repeat(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """A second call gives exactly the same numbers and leaves the structure as it was."""
    before = structure.positions_nc.copy()
    first, second = subject.values(structure, None), subject.values(structure, None)
    for name in first:
        require(np.array_equal(first[name], second[name]), f"a second call changes {name}")
    require(np.array_equal(before, structure.positions_nc), "the call changed the positions that it was given")


def rotation(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Rotating atoms and box changes nothing."""
    turned = transformed(structure, orthogonal(random, 1))
    require_equal(subject, subject.values(structure, None), subject.values(turned, None), "rotation")


def reflection(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Reflecting atoms and box changes nothing (the box becomes left-handed)."""
    mirrored = transformed(structure, orthogonal(random, -1))
    require_equal(subject, subject.values(structure, None), subject.values(mirrored, None), "reflection")


def translation(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Moving all atoms by one vector changes nothing."""
    shifted = moved(structure, random.uniform(-20, 20, 3))
    require_equal(subject, subject.values(structure, None), subject.values(shifted, None), "translation")


def permutation(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Values follow their atoms when atoms are listed in another order."""
    order = random.permutation(structure.n_atoms)
    expected = _rows(subject.values(structure, None), order)
    require_equal(subject, expected, subject.values(structure.subset(order), None), "permutation of atoms")


def wrapping(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Moving single atoms by whole box vectors along periodic directions changes nothing."""
    turns = random.integers(-2, 3, (structure.n_atoms, 3)) * np.array(structure.pbc)
    wrapped = moved(structure, turns @ structure.cell_cc)
    require_equal(
        subject, subject.values(structure, None), subject.values(wrapped, None), "moving atoms by box vectors"
    )


def supercell(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Two periods of a periodic structure give the same values twice."""
    expected = subject.values(structure, None)
    twice = {name: np.tile(column, 2) for name, column in expected.items()}
    for axis in np.flatnonzero(structure.pbc):
        found = subject.values(doubled(structure, int(axis)), None)
        require_equal(subject, twice, found, f"doubling the box along {'abc'[axis]}")


def centres(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Some atoms asked for, in any order, get the values that they have among all; none asked for, none given."""
    whole = subject.values(structure, None)
    for size in {0, 1, min(2, structure.n_atoms), structure.n_atoms // 3, structure.n_atoms}:
        chosen = random.permutation(structure.n_atoms)[:size].astype(np.int32)
        found = subject.values(structure, chosen)
        require_equal(subject, _rows(whole, chosen), found, f"asking for {size} of {structure.n_atoms} atoms")


def ghosts(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Images as explicit ghost atoms out to the receptive field give the values of the periodic structure."""
    cluster, owned = ghost_cluster(structure, subject.receptive_field)
    found = subject.values(cluster, owned)
    require_equal(subject, subject.values(structure, None), found, "replacing periodicity by ghost atoms")


def receptive_field(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Atoms beyond the declared receptive field of a centre do not matter to it."""
    reach = subject.receptive_field
    require(bool(np.isfinite(reach) and reach >= 0), f"receptive_field must be a length in Å, got {reach}")
    cluster, _ = ghost_cluster(structure, reach + _BEYOND)
    centre = int(random.integers(structure.n_atoms))
    apart = cluster.positions_nc - cluster.positions_nc[centre]
    outer = np.linalg.norm(apart, axis=1) > reach + 1e-6
    # Stretching what lies outside moves those atoms away from the centre and from each other.
    stretched = moved(cluster, np.where(outer[:, None], 0.05 * apart, 0.0))
    asked = np.array([centre], dtype=np.int32)
    expected = subject.values(cluster, asked)
    action = f"moving {int(outer.sum())} atoms beyond the receptive field of {reach:g} Å"
    require_equal(subject, expected, subject.values(stretched, asked), action)
    require_equal(
        subject, expected, subject.values(cluster.subset(np.flatnonzero(~outer)), _place(outer, centre)), action
    )


def _place(outer: NDArray[np.bool_], centre: int) -> Ints:
    """Index of the centre once the outer atoms are removed."""
    return np.array([int((~outer[:centre]).sum())], dtype=np.int32)


def species_order(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Types count along the structure's own species, whose order and spares must not matter."""
    names = ("Xx", *reversed(structure.species))
    types = np.array([names.index(s) for s in structure.species], dtype=np.int32)[structure.types_n]
    other = replace_fields(structure, types_n=types, species=names)
    require_equal(subject, subject.values(structure, None), subject.values(other, None), "listing species otherwise")


def unknown_species(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """An atom of a species that is not known is refused, never taken for another."""
    types = structure.types_n.copy()
    types[random.integers(structure.n_atoms)] = len(structure.species)
    foreign = replace_fields(structure, types_n=types, species=(*structure.species, "Xx"))
    require_refused(lambda: subject.values(foreign, None), "an atom of unknown species 'Xx'")


def coincident(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """Two atoms in one place are refused."""
    positions = structure.positions_nc.copy()
    positions[0] = positions[-1]
    require_refused(
        lambda: subject.values(replace_fields(structure, positions_nc=positions), None), "two atoms in one place"
    )


def empty(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """No atoms: the same columns, without rows."""
    none = np.empty(0, dtype=np.int32)
    expected = _rows(subject.values(structure, None), none)
    nobody = structure.subset(none)
    for asked in (None, none):
        require_equal(subject, expected, subject.values(nobody, asked), "removing all atoms")


def single(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
    """One atom alone in space has finite values, wherever it is."""
    one = Structure(structure.positions_nc[:1], structure.types_n[:1], structure.species)
    finite(subject, one, random)
    far = moved(one, np.array([1e4, -1e4, 1e4]))
    require_equal(subject, subject.values(one, None), subject.values(far, None), "moving a lone atom")


COMMON_CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        finite, repeat, rotation, reflection, translation, permutation, wrapping, supercell, centres, ghosts,
        receptive_field, species_order, unknown_species, coincident, empty, single,
    )
}  # fmt: skip
