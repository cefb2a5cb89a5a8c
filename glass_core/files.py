"""Writing files so that a good one is never replaced by half of a new one."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from glass_core.errors import GlassError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a temporary path in the same folder; renames it to ``path`` if the block succeeds, else removes it.

    Where ``path`` is a symbolic link, the file that it points to is replaced and the link stays.

    Raises:
        GlassError: if the folder is missing or not writable, or the disk is full.
    """
    target = pathlib.Path(os.path.realpath(path))
    if target.is_dir():
        raise GlassError(f"cannot write {path}: it is a folder; give a file name")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise GlassError(f"cannot write {path}: {error.strerror or error}; choose another place") from error
    temporary = pathlib.Path(name)
    try:
        yield temporary
        _settle(temporary)
        temporary.replace(target)
    except OSError as error:
        raise GlassError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)


def _settle(path: pathlib.Path) -> None:
    """Flushes to disk and gives the permissions that a plain ``open`` would have given."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def sha256(path: str | os.PathLike[str]) -> str:
    """Hex digest of a file."""
    with pathlib.Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def replacing_hdf5(path: str | os.PathLike[str]) -> Iterator[Any]:
    """An open HDF5 file to fill; ``path`` is replaced when the block succeeds.

    The file is made in memory: the HDF5 library crashes when a disk fills up under it.

    Raises:
        GlassError: as ``replacing``.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as handle:
        yield handle
    with replacing(path) as temporary:
        temporary.write_bytes(content.getbuffer())
