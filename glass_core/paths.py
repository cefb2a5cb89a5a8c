"""Paths that a user gives, checked before anything is computed: files to read, files and folders to write."""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
from collections.abc import Iterable

from glass_core.errors import GlassError

AnyPath = str | os.PathLike[str]


def is_file(path: AnyPath) -> bool:
    """Whether there is such a file; False too for a name too long or a folder that must not be searched."""
    return os.path.isfile(path)  # noqa: PTH113 - pathlib raises for such names


def existing_file(path: AnyPath, what: str = "file", cure: str = "") -> pathlib.Path:
    """The path of a file that can be opened.

    Args:
        path: as given.
        what: what the file is, for errors: "structure file", "data set".
        cure: what to do where there is no such file.

    Raises:
        GlassError: if it does not exist, is no file, or must not be read.
    """
    file = pathlib.Path(path)
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise GlassError(f"{what} {file} is a folder; give a file")
        if not stat.S_ISREG(mode):
            raise GlassError(f"{what} {file} is a pipe or device; give a file")
        with file.open("rb"):
            return file
    except (FileNotFoundError, NotADirectoryError) as error:
        raise GlassError(f"{what} {file} does not exist{'; ' if cure else ''}{cure}") from error
    except ValueError as error:  # a zero byte
        raise GlassError(f"{what} {str(path)!r} cannot be a path: {error}") from error
    except OSError as error:
        raise GlassError(
            f"cannot read {what} {file}: {error.strerror or error}; change its permissions or name"
        ) from error


def writable_file(path: AnyPath, inputs: Iterable[AnyPath] = ()) -> pathlib.Path:
    """The path of a file that can be written; nothing is written yet.

    Args:
        path: as given; an existing file will be replaced.
        inputs: files that must not be replaced.

    Raises:
        GlassError: if it is a folder or one of the inputs, or its folder is missing or closed to writing.
    """
    target = pathlib.Path(path)
    try:
        if target.is_dir():
            raise GlassError(f"cannot write {target}: it is a folder; give a file name")
        _try_folder(target.parent)
    except OSError as error:
        raise GlassError(f"cannot write {target}: {_reason(target.parent, error)}") from error
    for source in inputs:
        if target.exists() and is_file(source) and target.samefile(source):
            raise GlassError(f"cannot write {target}: it is the input {source}; give the output another name")
    return target


def make_folder(path: AnyPath) -> pathlib.Path:
    """Makes a folder, and those above it, where it is missing.

    Raises:
        GlassError: if it cannot be made, or files cannot be written into it.
    """
    folder = pathlib.Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_folder(folder)
    except OSError as error:
        raise GlassError(f"cannot write into folder {folder}: {_reason(folder, error)}") from error
    return folder


def _try_folder(folder: pathlib.Path) -> None:
    """Writes a file that vanishes at once: permissions alone do not tell (read-only disks, root)."""
    with tempfile.TemporaryFile(dir=folder):
        return


def _reason(folder: pathlib.Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"folder {folder} does not exist; make it first"
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        blocking = [p for p in (folder, *folder.parents) if is_file(p)]
        return f"{blocking[0] if blocking else folder} is not a folder; choose another place"
    return f"{error.strerror or error}; choose another place"
