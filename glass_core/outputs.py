"""What models predict per atom: names, units, and what each host calls it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError


@dataclass(frozen=True)
class Output:
    """One per-atom quantity.

    Attributes:
        name: canonical name, in results and files of ours.
        unit: unit, "" for dimensionless numbers and flags.
        meaning: one line for tables and tool tips.
        ovito: property name in OVITO.
        integer: whether values are whole numbers (flags, indices).
    """

    name: str
    unit: str
    meaning: str
    ovito: str
    integer: bool = False

    @property
    def ase(self) -> str:
        """Array name in ASE: ``glass_`` + name."""
        return f"glass_{self.name}"

    @property
    def lammps(self) -> str:
        """Name in LAMMPS (``fix property/atom``): ``d_glass_`` + name."""
        return self.lammps_column("glass")

    def lammps_column(self, prefix: str) -> str:
        """Name in LAMMPS for a hook with another prefix, as the second of two models has."""
        return f"d_{prefix}_{self.name}"


_TABLE = (
    Output("barrier", "eV", "mean energy barrier of the saddles that searches find around the atom", "Barrier"),
    Output("barrier_std", "eV", "standard error of the barrier", "Barrier Std"),
    Output("out_of_domain", "", "1 where the surroundings are unlike all training atoms, else 0", "Out Of Domain",
           integer=True),
    Output("high_barrier_probability", "", "probability of a barrier among the highest 20 %",
           "High Barrier Probability"),
    Output("logit", "", "log-odds of a high barrier (SCNN)", "Logit"),
    Output("cluster", "", "index of the most similar structural constraint (SCNN)", "Constraint Cluster", integer=True),
    Output("similarity_0", "", "cosine similarity to low-barrier constraint 0 (SCNN)", "Similarity 0"),
    Output("similarity_1", "", "cosine similarity to low-barrier constraint 1 (SCNN)", "Similarity 1"),
    Output("similarity_2", "", "cosine similarity to high-barrier constraint 2 (SCNN)", "Similarity 2"),
    Output("similarity_3", "", "cosine similarity to high-barrier constraint 3 (SCNN)", "Similarity 3"),
)  # fmt: skip

OUTPUTS: dict[str, Output] = {output.name: output for output in _TABLE}


def output(name: str) -> Output:
    """The table's entry for a canonical name; a name from a plugin gets an entry derived from it.

    >>> output("barrier").lammps
    'd_glass_barrier'
    >>> output("my_score").ovito
    'My Score'
    """
    return OUTPUTS.get(name) or Output(name, "", "", name.replace("_", " ").title())


@dataclass(frozen=True, eq=False)
class PerAtom:
    """Values of one quantity for the centres asked for.

    Attributes:
        values: shape (m,), float64; integer-valued quantities (flags, clusters) too.
        unit: unit of the values.
    """

    values: NDArray[np.float64]
    unit: str

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if values.ndim != 1:
            raise GlassError(f"per-atom values must have shape (centres,), got {values.shape}")
        object.__setattr__(self, "values", values)
