"""What the hook says about MPI ranks."""

from __future__ import annotations

import os
import warnings

from glass_core.errors import GlassError
from lammps_hooks.instance import Instance

_SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS")


def require_one_rank(instance: Instance) -> None:
    """Refuses a run that is decomposed over several ranks.

    Every rank raises, so that none waits for another. Partitions (``-partition 4x1``) of one rank each
    are fine. Warns if a launcher started several processes of which each believes to be alone, which
    is what happens when ``mpirun`` belongs to another MPI than LAMMPS.

    Raises:
        GlassError: with the cure, on each rank.
    """
    ranks = instance.setting("world_size")
    if ranks > 1:
        raise GlassError(
            f"predictions inside LAMMPS work on 1 MPI rank, this run has {ranks}; start it without mpirun, or "
            "remove the hook here and annotate the trajectory afterwards with `glass predict`"
        )
    started = max((int(v) for v in map(os.environ.get, _SIZE_VARIABLES) if v and v.isdigit()), default=1)
    if started > 1 and instance.setting("universe_size") == 1:
        warnings.warn(
            f"the launcher started {started} processes, but this LAMMPS sees 1: they all do the same run and write "
            "the same files; use the mpirun of the MPI that LAMMPS was built with",
            stacklevel=2,
        )
