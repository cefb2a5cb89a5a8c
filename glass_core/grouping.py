"""Which configurations belong together: the same glass, relabelled or strained, must never be split."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from glass_core.dataset import Configuration
from glass_core.errors import GlassError, unknown
from glass_core.structure import Structure

_MOVED = 0.5  # Å
_SHARED_FRACTION = 0.3


def given_groups(groups: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    """The groups as given, one for each configuration.

    Raises:
        GlassError: for a name that is no configuration's, or a configuration without a group.
    """
    for name in groups:
        if name not in names:
            raise unknown("configuration with a group", name, names)
    missing = [name for name in names if name not in groups]
    if missing:
        raise GlassError(f"configuration {missing[0]!r} has no group; groups are given for {sorted(groups)}")
    return dict(groups)


def related(a: Configuration, b: Configuration) -> bool:
    """Whether two configurations are the same glass, relabelled or strained.

    Compared in fractional coordinates, atom by atom, after removing a common shift: related if 30 % of the atoms lie
    within 0.5 Å of their place in the other box. Unrelated glasses of the same size share almost none. Atoms go
    together that stand at the same place of the files; where identifiers are the same but their order is not, also
    those with the same one.
    """
    if a.structure.n_atoms != b.structure.n_atoms or a.structure.n_atoms == 0:
        return False
    if _alike(a.structure, b.structure):
        return True
    orders = [np.argsort(c.ids_n, kind="stable") for c in (a, b)]
    named_alike = np.array_equal(a.ids_n[orders[0]], b.ids_n[orders[1]])
    return named_alike and _alike(a.structure.subset(orders[0]), b.structure.subset(orders[1]))


def _alike(a: Structure, b: Structure) -> bool:
    """Whether atoms with the same index are of one species and mostly at the same place."""
    if not np.array_equal(a.symbols(), b.symbols()):
        return False
    difference = a.positions_nc @ np.linalg.inv(a.cell_cc) - b.positions_nc @ np.linalg.inv(b.cell_cc)
    difference -= np.round(difference)
    difference -= np.median(difference, axis=0)
    distance = np.linalg.norm(difference @ ((a.cell_cc + b.cell_cc) / 2), axis=1)
    return bool((distance < _MOVED).mean() > _SHARED_FRACTION)


def find_groups(configurations: Sequence[Configuration], held: Sequence[Hashable]) -> dict[str, int]:
    """Group of each configuration: connected components of what is ``related`` or held together, as first met.

    Args:
        configurations: of different names.
        held: something for each; those with equal ones stay together.
    """
    group: list[int] = []
    for index, configuration in enumerate(configurations):
        linked = [k for k in range(index) if held[k] == held[index] or related(configurations[k], configuration)]
        group.append(group[linked[0]] if linked else max(group, default=-1) + 1)
        for k in linked[1:]:
            old = group[k]
            group = [group[linked[0]] if g == old else g for g in group]
    return {c.name: g for c, g in zip(configurations, group, strict=True)}
