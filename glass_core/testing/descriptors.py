"""The contract of descriptors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from glass_core.descriptors.base import Descriptor, described
from glass_core.descriptors.rows import Features
from glass_core.neighbours import Finder, Neighbours, neighbour_blocks
from glass_core.settings import checked
from glass_core.structure import Ints, Structure
from glass_core.testing.common import COMMON_CHECKS
from glass_core.testing.structures import example_glass
from glass_core.testing.subject import Check, Columns, Subject, require, require_equal, run

_BLOCK = 23


def check_descriptor(
    descriptor: Descriptor,
    structure: Structure | None = None,
    seed: int = 0,
    *,
    skip: Collection[str] = (),
    tolerance: float = 1e-6,
) -> list[str]:
    """Runs all checks of ``DESCRIPTOR_CHECKS`` on a descriptor.

    Args:
        descriptor: the descriptor with its settings.
        structure: atoms to use, default ``example_glass`` of the descriptor's species. Give your own where
            lengths are not in Å.
        seed: for rotations, permutations, choices of atoms.
        skip: names of checks to leave out.
        tolerance: accepted difference, relative to the largest value of a feature.

    Returns:
        Names of the checks that ran.

    Raises:
        CheckError: for the first check that fails.

    >>> from glass_core.descriptors.scnn import SCNNDescriptor
    >>> done = check_descriptor(SCNNDescriptor(("Cu", "Zr"), cutoff=4.0, shells=1), skip=("supercell",))
    >>> "ghosts" in done, "supercell" in done
    (True, False)
    """
    require(isinstance(descriptor, Descriptor), f"{type(descriptor).__name__} lacks {_lacking(descriptor)}")
    subject = Subject(
        f"descriptor {descriptor.kind!r}",
        tuple(descriptor.species),
        float(descriptor.receptive_field),
        lambda atoms, centres: _columns(descriptor, collect(descriptor, atoms, centres)),
        tolerance,
    )
    checks: dict[str, Check] = {**COMMON_CHECKS, **_own_checks(descriptor)}
    return run(checks, subject, structure or example_glass(subject.species, seed=seed), seed, skip)


def collect(
    descriptor: Descriptor, structure: Structure, centres: Ints | None, find: Finder = neighbour_blocks
) -> Features:
    """Features in double precision, in the order of ``centres``.

    Raises:
        CheckError: if there is not one row per centre and one column per name.
    """
    rows = structure.n_atoms if centres is None else len(centres)
    features = descriptor(structure, centres, find=find, dtype=np.float64)
    wanted = (rows, len(descriptor.names()))
    require(features.shape == wanted, f"features of {rows} centres have shape {features.shape}, must have {wanted}")
    return features


def _columns(descriptor: Descriptor, features: NDArray[np.floating]) -> Columns:
    return {name: features[:, f].astype(np.float64) for f, name in enumerate(descriptor.names())}


def _lacking(descriptor: object) -> str:
    names = [
        name
        for name in ("kind", "species", "cutoff", "receptive_field", "bytes_per_atom", "names", "__call__")
        if not hasattr(descriptor, name)
    ]
    return ", ".join(names) or "nothing"


def _own_checks(descriptor: Descriptor) -> dict[str, Check]:
    def names(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Every feature has a name of its own."""
        listed = descriptor.names()
        require(len(set(listed)) == len(listed), f"names() repeats some of its {len(listed)} names")
        require(bool(listed), "names() lists no feature")

    def edges(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Edges come from ``find``, in blocks of any size."""
        finder = SmallBlocks()
        found = _columns(descriptor, collect(descriptor, structure, None, finder))
        require_equal(subject, subject.values(structure, None), found, f"edges in blocks of {_BLOCK} centres")
        require(finder.calls > 0, "the descriptor did not ask `find` for its edges")
        longest = float(descriptor.cutoff)
        require(
            finder.longest <= longest, f"it asked for edges of {finder.longest:g} Å, beyond its cutoff of {longest:g} Å"
        )

    def dtype(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Features come in the number type asked for, and float32 is close to float64."""
        exact = collect(descriptor, structure, None)
        scale = np.maximum(np.abs(exact).max(axis=0), 1e-3)
        features = descriptor(structure, None, dtype=np.float32)
        require(features.dtype == np.float32, f"dtype=float32 gave {features.dtype}")
        worst = float((np.abs(features - exact) / scale).max(initial=0.0))
        require(worst < 1e-3, f"float32 features differ by {worst:.3g} of the largest value")

    def settings(subject: Subject, structure: Structure, random: np.random.Generator) -> None:
        """Settings survive in a model file."""
        content = json.loads(json.dumps(described(descriptor)))
        del content["kind"]
        again = checked(type(descriptor), content, f"settings of {descriptor.kind}")
        require(again.names() == descriptor.names(), "a descriptor made of the settings in a model file is another one")
        found = collect(again, structure, None)
        require_equal(subject, subject.values(structure, None), _columns(descriptor, found), "settings in a file")

    return {"names": names, "edges": edges, "dtype": dtype, "settings": settings}


class SmallBlocks:
    """A finder that gives edges in small blocks, and keeps how often and how far it was asked."""

    def __init__(self) -> None:
        self.calls, self.longest = 0, 0.0

    def __call__(self, structure: Structure, cutoff: float, centres: Ints | None) -> Iterable[Neighbours]:
        """Edges of the centres, Å."""
        self.calls, self.longest = self.calls + 1, max(self.longest, cutoff)
        return neighbour_blocks(structure, cutoff, centres, block_atoms=_BLOCK)


DESCRIPTOR_CHECKS: tuple[str, ...] = (*COMMON_CHECKS, "names", "edges", "dtype", "settings")
