"""An extended XYZ trajectory with predictions, written while a simulation runs."""

from __future__ import annotations

import io
import os
import pathlib
from typing import TYPE_CHECKING, Any, Literal

from ase import Atoms
from ase.calculators.calculator import all_properties
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io.extxyz import write_xyz
from ase.parallel import world

from ase_glass.annotation import attach
from ase_glass.calculator import GlassCalculator
from ase_glass.structure import SpeciesMap
from glass_core import GlassError
from glass_core.files import replacing
from glass_core.model_file import DEFAULT

if TYPE_CHECKING:
    from glass_core.models.base import Model


class ExtxyzWriter:
    """Writes ``atoms`` with energy, forces, momenta and predictions each time it is called.

    ``dyn.attach(ExtxyzWriter("run.xyz", atoms), interval=10)``. The running atoms are not changed and
    nothing is asked of their calculator that it has not computed already. Each frame is written at once
    and whole; when a file is continued, a frame that a killed run left incomplete is cut off first.
    Under MPI the first process writes.

    Args:
        path: file; ASE and OVITO read it.
        atoms: the atoms of the simulation.
        model: name or path of a model, or a model. Default: that of the atoms' ``GlassCalculator``,
            whose predictions are then computed only once, else the default model.
        species_map: see ``to_structure``; goes with ``model``.
        mode: "w" replaces an existing file when the first frame is written, "a" continues it.

    Raises:
        GlassError: for an unknown model or mode, or a file to continue that cannot be opened or is not extended
            XYZ.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        atoms: Atoms,
        model: str | os.PathLike[str] | Model | None = None,
        species_map: SpeciesMap | None = None,
        mode: Literal["w", "a"] = "w",
    ) -> None:
        if mode not in ("w", "a"):
            raise GlassError(f"mode must be 'w' (replace) or 'a' (append), got {mode!r}")
        self.path = pathlib.Path(path)
        self.atoms = atoms
        self._follows = model is None and species_map is None
        self._own = GlassCalculator(DEFAULT if model is None else model, species_map=species_map)
        self._replaces = mode == "w"
        if mode == "a" and world.rank == 0:
            _cut_incomplete_frame(self.path)

    def __call__(self) -> None:
        """Writes the atoms as they are now.

        Raises:
            GlassError: if the atoms cannot be predicted or the file cannot be written; frames written
                before stay whole.
        """
        if world.rank != 0:
            return
        calculator = self._calculator()
        snapshot = _snapshot(self.atoms)
        attach(snapshot, calculator.predictions(self.atoms), calculator.model)
        buffer = io.StringIO()
        write_xyz(buffer, snapshot)
        frame = buffer.getvalue().encode()
        if self._replaces:
            with replacing(self.path) as temporary:
                temporary.write_bytes(frame)
            self._replaces = False
        else:
            _append(self.path, frame)

    write = __call__

    def _calculator(self) -> GlassCalculator:
        """The atoms' own calculator where it predicts the same, as it may have done so already."""
        running = self.atoms.calc
        if not isinstance(running, GlassCalculator):
            return self._own
        same = running.parameters == self._own.parameters
        return running if same or self._follows else self._own


def _snapshot(atoms: Atoms) -> Atoms:
    """A copy with those results of the calculator that belong to the present positions."""
    snapshot = atoms.copy()
    results = _current_results(atoms)
    for name in results:  # ASE refuses to write a result that is in info or arrays too
        snapshot.info.pop(name, None)
        snapshot.arrays.pop(name, None)
    snapshot.calc = SinglePointCalculator(snapshot, **results)
    return snapshot


def _current_results(atoms: Atoms) -> dict[str, Any]:
    calculator = atoms.calc
    results = getattr(calculator, "results", {})
    if not results or (hasattr(calculator, "check_state") and calculator.check_state(atoms)):
        return {}
    return {name: results[name] for name in all_properties if results.get(name) is not None}


def _append(path: pathlib.Path, frame: bytes) -> None:
    """Adds a frame; if that fails, takes away what was written of it."""
    try:
        with path.open("ab", buffering=0) as handle:
            start = os.fstat(handle.fileno()).st_size
            try:
                written = 0
                while written < len(frame):
                    written += handle.write(frame[written:])
            except BaseException:
                os.ftruncate(handle.fileno(), start)
                raise
    except OSError as error:
        raise GlassError(f"cannot write {path}: {error.strerror or error}; frames before are whole") from error


def _cut_incomplete_frame(path: pathlib.Path) -> None:
    try:
        if not path.exists():
            return
        end = _end_of_whole_frames(path)
        if end < path.stat().st_size:
            os.truncate(path, end)
    except OSError as error:
        raise GlassError(f"cannot append to {path}: {error.strerror or error}; choose another file") from error


def _end_of_whole_frames(path: pathlib.Path) -> int:
    """Number of bytes up to which the file consists of whole frames."""
    end = 0
    with path.open("rb") as handle:
        while header := handle.readline():
            comment = handle.readline()
            foreign = header.strip() and not header.strip().isdigit()
            if foreign or (comment.endswith(b"\n") and b"Properties=" not in comment):
                raise GlassError(f"cannot append to {path}: it is not an extended XYZ file; choose another name")
            if not header.strip():
                break
            last = comment
            for _ in range(int(header)):
                last = handle.readline()
            if not last.endswith(b"\n"):
                break
            end = handle.tell()
    return end
