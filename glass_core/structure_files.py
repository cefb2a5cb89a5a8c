"""Files of structures, read and written by whatever host can."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from glass_core.errors import GlassError, MissingExtraError, unknown
from glass_core.frame import Frame
from glass_core.paths import AnyPath, existing_file, writable_file
from glass_core.registry import find, names

_PREFERRED = ("ovito", "ase")
_DECIMALS = re.compile(r"(?<=\.\d{6})\d+")  # readers round coordinates differently


def read_frame(
    path: AnyPath, species: Mapping[str, str] | None = None, index: int = -1, reader: str | None = None
) -> Frame:
    """The structure in a file, by the first reader that can read it: OVITO's, ASE's, then those of plugins.

    Args:
        path: dump, data, extxyz, POSCAR, … or a step of a trajectory.
        species: type or name in the file → chemical symbol.
        index: of the step; negative from the end.
        reader: the only one to try.

    Raises:
        GlassError: if none can, with the reason of each.
    """
    path = pathlib.Path(path)
    existing_file(path, "structure file")
    if reader:
        find("reader", reader)  # an unknown one is no fault of the file
    candidates = [reader] if reader else sorted(names("reader"), key=_preference)
    failures = []
    for name in candidates:
        try:
            frame: Frame = find("reader", name)(path, species or {}, index)
            return frame
        except GlassError as error:
            failures.append((name, error))
    raise _clearest(path, failures)


def _preference(reader: str) -> tuple[int, str]:
    return (_PREFERRED.index(reader) if reader in _PREFERRED else len(_PREFERRED)), reader


def _clearest(path: pathlib.Path, failures: list[tuple[str, GlassError]]) -> GlassError:
    tried = [(name, error) for name, error in failures if not isinstance(error, MissingExtraError)]
    reasons: dict[str, str] = {}
    for name, error in tried or failures:
        reason = str(error).removeprefix(f"{name.upper()} cannot read ").removeprefix(f"{path}: ")
        reasons.setdefault(_DECIMALS.sub("", reason), f"{reason} ({name})")
    if len(reasons) == 1:
        reason = reason if str(path) in reason else f"{path}: {reason}"
        return GlassError(reason)
    return GlassError(f"cannot read {path}: {'; '.join(reasons.values())}")


def writer_of(path: pathlib.Path, inputs: Sequence[AnyPath] = ()) -> Any:
    """The writer for a file's ending.

    Raises:
        GlassError: for an unknown ending, or a path that cannot be written, is one of the inputs or holds searches.
    """
    from glass_core.campaign.label_file import refuse_labels

    if path.suffix not in names("writer"):
        raise unknown("file ending", path.suffix, names("writer"), f"(output {path})")
    writable_file(path, inputs)
    refuse_labels(path)
    return find("writer", path.suffix)
