"""Compiling before the first search, in a process of its own, once per machine.

A process that compiles adds numbers in another order than one that loads compiled code, which changes last digits:
results of the first campaign on a machine, or of the first worker, would differ from those of all later ones.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from glass_core.errors import GlassError
from glass_core.potentials.base import Potential
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import ArtnSettings
from glass_core.structure import Structure

# Until one goes through all phases.
_SEARCHES = """
import pickle, sys
search = pickle.load(sys.stdin.buffer).bound()
for number in range(10**6, 10**6 + 30):
    if search(0, number).state == "accepted":
        break
"""


def is_to_compile(potential: Potential) -> bool:
    """Whether a potential's surfaces are our own and nobody compiled their code on such a machine."""
    return isinstance(potential, (EamPotential, LennardJonesPotential)) and not _mark().exists()


def compile_apart(structure: Structure, potential: Potential) -> None:
    """Does some searches in another process, to be called before this one computes anything.

    Of several processes that call it at once, one has it done and the others wait. What fails here fails again, and
    is told, where it counts.
    """
    mark = _mark()
    mark.parent.mkdir(parents=True, exist_ok=True)
    with _alone(mark.with_name("glass-compiling.lock")):
        if not mark.exists() and _compiled(structure, potential):
            mark.touch()


def _compiled(structure: Structure, potential: Potential) -> bool:
    searcher = Searcher(structure, potential, ArtnSettings(minimum_force=1e6))
    command = [sys.executable, "-c", _SEARCHES]
    ended = subprocess.run(
        command, input=pickle.dumps(searcher), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return ended.returncode == 0


def _mark() -> pathlib.Path:
    """A file beside the compiled code, whose name says for what it was compiled: sources, versions, processor.

    Raises:
        GlassError: if numba is told not to compile, or is not there.
    """
    from glass_core.kernels.jit import require_compiler

    require_compiler()
    import llvmlite.binding
    import numba

    if numba.config.DISABLE_JIT:
        raise GlassError(
            "NUMBA_DISABLE_JIT is set, without compiled code our own surfaces would take days; unset it, or give the "
            "potential as a file of LAMMPS commands (.lmp)"
        )

    import glass_core.kernels
    from glass_core.kernels.eam_surface import energy_forces

    sources = sorted(pathlib.Path(glass_core.kernels.__file__).parent.glob("*.py"))
    states = [(source.name, source.stat().st_size, source.stat().st_mtime_ns) for source in sources]
    processor = [llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()]
    content = json.dumps([states, sys.version, numba.__version__, processor])
    name = f"glass-compiled-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return pathlib.Path(energy_forces.stats.cache_path) / name


@contextmanager
def _alone(path: pathlib.Path) -> Iterator[None]:
    """One process after the other, where the system has locks; without them each compiles, which does no harm."""
    with path.open("a") as handle:
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
