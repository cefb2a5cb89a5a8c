"""Structure files through ASE: all formats that it reads, and extended XYZ out."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core import GlassError, Structure
from glass_core.errors import missing_extra
from glass_core.files import replacing
from glass_core.frame import Frame
from glass_core.lammps_files import is_data_file, type_names
from glass_core.outputs import PerAtom, output
from glass_core.species_map import species_of_type

try:
    import ase
    from ase import Atoms
    from ase.data import atomic_numbers
    from ase.io import read, write
    from ase.io.formats import UnknownFileTypeError, filetype, get_ioformat

    from ase_glass.annotation import OUTPUTS_KEY, without_empty
    from ase_glass.lammps_dump import is_dump, read_dump
except ModuleNotFoundError as error:
    raise missing_extra("ase", "ase") from error

_ALL_FILES = (3, 27)  # version of ASE
_DATA = "lammps-data"  # ASE takes `.data` for another format, and elements there from masses


def read_frame(path: str | os.PathLike[str], species_map: Mapping[str, str], index: int = -1) -> Frame:
    """One frame of a file, atoms in the order of the file.

    Args:
        path: file of any format that ASE detects, with lengths in Å.
        species_map: type → species, ``{"1": "Cu"}``: by number for types that have numbers and no names,
            else by name.
        index: which frame; negative numbers count from the end.

    Returns:
        The frame; ``info`` holds "timestep" where the file gives one and "origin", the corner of the box
        in Å, where that is not 0.

    Raises:
        GlassError: for a file that ASE cannot read, a frame that it does not have, coordinates that are
            missing or not finite, a numeric type without a species, or the number of a named type with another
            species than the name's.
    """
    if not pathlib.Path(path).is_file():
        raise GlassError(f"{path} does not exist or is not a file")
    try:
        atoms, names = _read(os.fspath(path), index)
        numbers = _numbers(atoms)
        symbols = _species(names, numbers, species_map, str(path))
        structure = Structure.from_symbols(atoms.get_positions(), symbols, atoms.cell.array, atoms.pbc.tolist())
    except GlassError as error:
        raise error if str(path) in str(error) else GlassError(f"{path}: {error}") from error
    return Frame(structure, _ids(atoms), _info(atoms), numbers)


def write_extxyz(
    path: str | os.PathLike[str], frame: Frame, outputs: Mapping[str, PerAtom], info: Mapping[str, Any]
) -> None:
    """Extended XYZ with ids in the column ``id`` and one column ``glass_<name>`` per output.

    Box vectors that were not given are 0; without any, there is no ``Lattice``.

    Args:
        path: file; replaced only when the new one is complete.
        frame: atoms, ids and what the file they came from said.
        outputs: predictions for all atoms.
        info: plain scalars for the comment line, beside those of ``frame.info``.

    Raises:
        GlassError: for species that are no chemical symbols, which ASE cannot hold.
    """
    structure = frame.structure
    odd = [name for name in structure.species if name not in atomic_numbers]
    if odd:
        raise GlassError(
            f"cannot write {path}: extended XYZ wants chemical symbols, species {odd[0]!r} is none; "
            f"give a species map such as {odd[0]}=Cu, or write a .dump"
        )
    cell = structure.cell_cc * np.array(structure.given)[:, None]
    atoms = Atoms(structure.symbols().tolist(), structure.positions_nc, cell=cell, pbc=structure.pbc)
    atoms.arrays["id"] = frame.ids_n.astype(np.int64)
    for name, per_atom in outputs.items():
        atoms.arrays[output(name).ase] = per_atom.values
    kept = dict(frame.info)
    origin = kept.pop("origin", None)
    if origin is not None and np.any(origin):
        kept["Origin"] = np.asarray(origin, dtype=np.float64)  # the key that OVITO reads and writes
    atoms.info.update(without_empty({**kept, **info, OUTPUTS_KEY: ",".join(outputs)}))
    with replacing(path) as temporary:
        write(temporary, atoms, format="extxyz")


def _read(path: str, index: int) -> tuple[Atoms, NDArray[np.str_]]:
    """The atoms and what the file calls each one's species, "" where it gives only numbers."""
    try:
        if is_dump(path):
            return read_dump(path, index)
        kind = _DATA if is_data_file(path) else filetype(path)
        if get_ioformat(kind).single and index not in (0, -1):
            raise GlassError(f"frame {index} of {path} does not exist; the format holds one")
        order = {"sort_by_id": False} if kind == _DATA else {}
        frames = read(path, slice(index, index + 1 or None), kind, do_not_split_by_at_sign=True, **order)
    except GlassError:
        raise
    except UnknownFileTypeError as error:
        raise GlassError(
            f"ASE does not know the format of {path}; convert it to extended XYZ or a LAMMPS dump"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        old = f" ASE {ase.__version__} is old; newer ones read more (pip install -U ase)" if _old() else ""
        raise GlassError(f"ASE cannot read {path}: {reason}; is it complete?{old}") from error
    if not frames:
        raise GlassError(f"frame {index} of {path} does not exist")
    return frames[0], _data_names(frames[0], path) if kind == _DATA else _names(frames[0])


def _old() -> bool:
    """Whether this ASE cannot read all LAMMPS files that a newer one reads."""
    major, minor = ase.__version__.split(".")[:2]
    return (int(major), int(minor)) < _ALL_FILES


def _data_names(atoms: Atoms, path: str) -> NDArray[np.str_]:
    types = atoms.arrays["type"]
    if (types == 0).any():
        raise GlassError(f"{path} has type labels instead of numbers, which ASE drops; read it with --reader ovito")
    given = type_names(path)
    return np.asarray([given.get(number, "") for number in types.tolist()], dtype=str)


def _names(atoms: Atoms) -> NDArray[np.str_]:
    """Chemical symbols; ASE's dummy X is no name where the file numbers its types."""
    symbols = np.asarray(atoms.get_chemical_symbols(), dtype=str)
    return symbols if _numbers(atoms) is None else np.where(symbols == "X", "", symbols)


def _numbers(atoms: Atoms) -> NDArray[np.int64] | None:
    types = atoms.arrays.get("type")
    if types is None or types.ndim != 1 or not np.issubdtype(types.dtype, np.integer):
        return None
    return types.astype(np.int64)


def _species(
    names: NDArray[np.str_], numbers: NDArray[np.int64] | None, species_map: Mapping[str, str], source: str
) -> NDArray[np.str_]:
    digits = np.full(len(names), "") if numbers is None else numbers.astype(str)
    kinds = list(zip(digits.tolist(), names.tolist(), strict=True))
    table = {kind: species_of_type(*kind, species_map, source) for kind in sorted(set(kinds))}
    return np.asarray([table[kind] for kind in kinds], dtype=str)


def _ids(atoms: Atoms) -> NDArray[np.int64]:
    ids = atoms.arrays.get("id")
    if ids is None or ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        return np.arange(1, len(atoms) + 1, dtype=np.int64)
    return ids.astype(np.int64)


def _info(atoms: Atoms) -> dict[str, Any]:
    info: dict[str, Any] = {}
    for name in ("timestep", "Timestep"):
        if isinstance(atoms.info.get(name), (int, np.integer)):
            info["timestep"] = int(atoms.info[name])
    origin = np.asarray(atoms.info.get("Origin", atoms.get_celldisp().ravel()), dtype=np.float64)
    if origin.shape == (3,) and origin.any():
        info["origin"] = origin.tolist()
    return info
