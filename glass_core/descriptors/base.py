"""What every descriptor offers, and the expansion that ours share."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glass_core.descriptors.rows import Features, RowsOf, rows_of
from glass_core.descriptors.shells import Columns, link_bytes, needed_atoms, shell_walk
from glass_core.descriptors.walks import Walks, walked
from glass_core.errors import GlassError
from glass_core.neighbours import Finder, Neighbours, neighbour_blocks
from glass_core.progress import Progress
from glass_core.structure import Ints, Structure
from glass_core.threads import for_ranges


@runtime_checkable
class Descriptor(Protocol):
    """A frozen dataclass of settings that turns a structure into one row of features per centre.

    Class attribute ``kind`` is its name in the registry. ``glass_core.testing.check_descriptor``
    tells whether a class keeps the contract.
    """

    kind: ClassVar[str]

    @property
    def species(self) -> tuple[str, ...]:
        """Species that the descriptor distinguishes."""

    @property
    def cutoff(self) -> float:
        """Length of the longest edge that it asks for, Å."""

    @property
    def receptive_field(self) -> float:
        """Distance in Å beyond which an atom cannot change a centre's features."""

    @property
    def bytes_per_atom(self) -> float:
        """Working memory per atom in single precision, which bounds the size of chunks.

        A descriptor that has ``prepared`` (see ``blocks_of_rows``) counts what that holds, any other its rows.
        """

    def names(self) -> list[str]:
        """One name per feature."""

    def __call__(
        self,
        structure: Structure,
        centres: NDArray[np.integer] | None = None,
        find: Finder = ...,
        dtype: DTypeLike = ...,
    ) -> Features:
        """Features of ``centres`` (default: all atoms), shape (m, n_features), in the order of ``centres``."""


def described(descriptor: Any) -> dict[str, Any]:
    """Kind and fields of a descriptor as plain values, as model files keep them; ``registry.make`` makes it of them.

    A class whose fields are descriptors, or sequences of such, must be able to take these mappings, as ``Stack`` does.

    Raises:
        GlassError: if it is no dataclass.
    """
    kind = descriptor.kind
    if not is_dataclass(descriptor):
        raise GlassError(
            f"descriptor {type(descriptor).__name__} is no dataclass, so that no model file can hold its settings; "
            "make it one (@dataclass(frozen=True))"
        )
    values = {field.name: _plain(getattr(descriptor, field.name)) for field in fields(descriptor) if field.init}
    return {"kind": kind, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(_plain(entry) for entry in value)
    return described(value) if isinstance(value, Descriptor) else value


class Prepared:
    """Base of descriptors that compute what costs time once, in ``prepared``, and rows from that."""

    kind: ClassVar[str]

    def __call__(
        self,
        structure: Structure,
        centres: NDArray[np.integer] | None = None,
        find: Finder = neighbour_blocks,
        dtype: DTypeLike = np.float64,
    ) -> Features:
        """Features of ``centres`` (default: all atoms), shape (m, n_features), in the order of ``centres``.

        Raises:
            GlassError: for species the descriptor does not know, or atoms that coincide.
        """
        return rows_of(self, structure, centres, dtype, find)


class Walking(Prepared):
    """Base of descriptors that prepare in walks over neighbours, which ``Stack`` makes together with others'."""

    def prepared(
        self,
        structure: Structure,
        centres: Ints | None,
        find: Finder,
        dtype: DTypeLike,
        progress: Progress | None = None,
    ) -> RowsOf:
        """Local features of all that ``centres`` (ascending; None: all atoms) need, and rows from them."""
        return walked([self.walks(structure, centres, dtype)], structure, find, progress)[0]

    def walks(self, structure: Structure, centres: Ints | None, dtype: DTypeLike) -> Walks[RowsOf]:
        """What is needed for ``centres`` (ascending; None: all atoms), and in the end their rows."""
        raise TypeError(f"{type(self).__name__} must define walks")


class ShellExpansion(Walking):
    """Common part of descriptors made of radial densities and angular power, averaged over shells.

    Subclasses are frozen dataclasses with fields species, cutoff, n_max, l_max and shells.
    """

    kind: ClassVar[str]
    species: tuple[str, ...]
    cutoff: float
    n_max: int
    l_max: int
    shells: int
    _split: ClassVar[bool]

    def __post_init__(self) -> None:
        object.__setattr__(self, "species", tuple(self.species))
        if not self.species:
            raise GlassError("species must name at least one species, got none")
        if not (np.isfinite(self.cutoff) and self.cutoff > 0):
            raise GlassError(f"cutoff must be > 0 Å, got {self.cutoff}")
        for name, least, most in (("n_max", 1, 64), ("l_max", 1, 24), ("shells", 0, 16)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise GlassError(f"{name} must lie in {least} … {most}, got {value}")

    @property
    def receptive_field(self) -> float:
        """(shells + 1) × cutoff, Å."""
        return (self.shells + 1) * self.cutoff

    @property
    def bytes_per_atom(self) -> float:
        """Memory held in single precision: local features, links and where they begin."""
        return 4.0 * (self._columns.radial + self._columns.angular) + link_bytes(self.cutoff) + 16.0

    @property
    def n_features(self) -> int:
        """Features per atom."""
        return self._columns.width

    @property
    def _columns(self) -> Columns:
        radial = len(self.species) * self.n_max
        return Columns(radial, self._n_pairs * self.l_max * self.n_max, self.shells)

    @property
    def _n_pairs(self) -> int:
        channels = len(self.species) if self._split else 1
        return channels * (channels + 1) // 2

    def walks(self, structure: Structure, centres: Ints | None, dtype: DTypeLike) -> Walks[RowsOf]:
        """One, for the local features of all that ``centres`` (ascending; None: all atoms) need."""
        known = structure.with_species(self.species, owner=f"descriptor {self.kind!r}")
        columns, needed = self._columns, needed_atoms(known, centres, self.shells * self.cutoff)

        def local(block: Neighbours, table: Features) -> Neighbours:
            self._expand(block, known.types_n, table)
            return block

        shells = yield from shell_walk(known, needed, self.cutoff, self.cutoff, columns, local, dtype)
        return shells.rows

    def _expand(self, block: Neighbours, types_n: Ints, table: Features) -> None:
        """Local features of a block into the table."""
        from glass_core.kernels import expansion

        rule = getattr(expansion, self._rule)
        tables = expansion.legendre_coefficients(self.l_max)
        flat, columns = table.reshape(-1), self._columns
        for_ranges(
            lambda a, b: expansion.expand(
                a, b, block.offsets, block.j_p, block.vectors_pc, types_n, len(self.species), self._split,
                self.cutoff, self.n_max, self.l_max, *tables, rule, block.centres_m,
                flat, columns.radial + columns.angular, columns.radial,
            ),
            len(block.centres_m),
        )  # fmt: skip

    @property
    def _rule(self) -> str:
        """How angular power becomes a feature: "RAW", "ROBUST" or "PAPER" (see ``kernels.expansion``)."""
        raise TypeError(f"{type(self).__name__} must define _rule")

    def names(self) -> list[str]:
        """One name per feature, ``B0(n=1,Cu)``: quantity, shell, indices; the order of the columns."""
        radial = [f"B{{k}}(n={n},{s})" for s in self.species for n in range(1, self.n_max + 1)]
        pairs = [(a, b) for i, a in enumerate(self.species) for b in self.species[i:]] if self._split else [None]
        angular = [
            f"Q{{k}}(l={l},n={n}" + (f",{p[0]}-{p[1]})" if p else ")")
            for p in pairs
            for l in range(1, self.l_max + 1)  # noqa: E741
            for n in range(1, self.n_max + 1)
        ]
        return [name.format(k=k) for part in (radial, angular) for k in range(self.shells + 1) for name in part]
