"""The HDF5 form of label files.

HDF5 schema ``glass-labels``, version 1; R searches, D displaced atoms of all of them, N atoms:

| name | shape | type | unit | meaning |
|---|---|---|---|---|
| ``positions``, ``given_positions`` | (N, 3) | float64 | Å | the minimum; the file that it was relaxed from |
| ``types``, ``ids``, ``cell``, ``pbc`` | | | | as in data sets (``dataset``); rows of the cell not given are 0 |
| ``energy`` | (N,) | float64 | eV | of each atom at the minimum, optional |
| ``atom``, ``number`` | (R,) | int32 | | which search; sorted |
| ``state`` | (R,) | uint8 | | index into the attribute ``states`` |
| ``calls``, ``products`` | (R, phases) | int32 | | force calls, Hessian products, along the attribute ``phases`` |
| other columns | (R,) | float64 | eV … | fields of ``SearchRecord``; ``predicted_saddle`` |
| ``offsets`` | (R + 1,) | int64 | | displaced atoms of search k are rows offsets[k] … offsets[k + 1] |
| ``moved`` | (D,) | int32 | | index of a displaced atom |
| ``saddle``, ``final`` | (D, 3) | float32 | Å | its displacement, rounded to 2⁻¹⁴ Å; final nan if no event |
| ``predicted``, ``prior`` | (N,) | float64 | eV | models at the minimum, optional; and ``…_std`` |

Attributes: ``schema``, ``version``, ``header`` (JSON: potential, settings, seed, hashes, versions; ``displacements``
that are kept are larger, Å, or "none"), ``states``, ``phases`` (JSON lists); ``model`` and ``sha256`` of ``predicted``
and ``prior``.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.campaign.columns import COLUMNS, Layout, Table
from glass_core.campaign.header import SCHEMA, VERSION, Header, require_version
from glass_core.campaign.labels import Labels, Predicted
from glass_core.errors import GlassError
from glass_core.files import replacing_hdf5
from glass_core.paths import AnyPath

_CURE = "restore it from a copy"
_ROLES = ("predicted", "prior")
_ARRAYS = ("positions", "given_positions", "types", "cell", "pbc", "ids")


def write_hdf5(labels: Labels, path: AnyPath) -> None:
    """Writes the HDF5 file; an existing one is replaced only when the new one is complete."""
    table, layout = labels.table, Layout()
    with replacing_hdf5(path) as handle:
        handle.attrs.update({"schema": SCHEMA, "version": VERSION, "header": labels.header.as_json()})
        handle.attrs.update({"states": json.dumps(layout.states), "phases": json.dumps(layout.phases)})
        for name, array in labels.header.arrays().items():
            handle[name] = array
        for column in COLUMNS:
            _write(handle, column.name, table.rows_r[column.name], column.unit)
        _write(handle, "offsets", table.offsets, "")
        _write(handle, "moved", table.moved_d, "")
        _write(handle, "saddle", table.saddle_dc, "Å")
        _write(handle, "final", table.final_dc, "Å")
        for role, predicted in zip(_ROLES, (labels.predicted, labels.prior), strict=True):
            if predicted is not None:
                stored = _write(handle, role, predicted.barrier_n, "eV")
                stored.attrs.update({"model": predicted.model, "sha256": predicted.sha256})
                _write(handle, f"{role}_std", predicted.std_n, "eV")


def _write(handle: Any, name: str, values: NDArray[Any], unit: str) -> Any:
    stored = handle.create_dataset(name, data=values, compression="gzip", compression_opts=1, shuffle=True)
    stored.attrs["unit"] = unit
    return stored


def read_hdf5(path: pathlib.Path) -> Labels:
    """The HDF5 file alone."""
    import h5py

    try:
        with h5py.File(path, "r") as handle:
            return _labels(handle, str(path))
    except GlassError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, IndexError) as error:  # h5py's, for damaged files
        raise GlassError(f"{path} is not a readable label file ({error}); {_CURE}") from error


def _labels(handle: Any, path: str) -> Labels:
    if handle.attrs.get("schema") != SCHEMA:
        found = handle.attrs.get("schema")
        raise GlassError(f"{path} is no label file (schema {found!r}, not {SCHEMA!r}); give another name")
    require_version(handle.attrs["version"], path)
    arrays = {name: handle[name][()] for name in (*_ARRAYS, *({"energy"} & set(handle)))}
    header = Header.from_parts(handle.attrs["header"], arrays, path)
    columns = {c.name: handle[c.name][()] for c in COLUMNS if c.name in handle}
    states, phases = (tuple(json.loads(handle.attrs[name])) for name in ("states", "phases"))
    rows = Layout(states=states, phases=phases).rows(columns, len(columns["atom"]))
    table = Table(rows, *(handle[name][()] for name in ("offsets", "moved", "saddle", "final")))
    _check(table, header, path)
    roles = [_predicted(handle, role) if role in handle else None for role in _ROLES]
    return Labels(header, table.sorted().with_elastic_errors(header.settings.regions), *roles)


def _predicted(handle: Any, role: str) -> Predicted:
    attributes = handle[role].attrs
    return Predicted(attributes["model"], attributes["sha256"], handle[role][()], handle[f"{role}_std"][()])


def _check(table: Table, header: Header, path: str) -> None:
    """Checks how the fields of a file belong together."""
    n, sizes = header.structure.n_atoms, np.diff(table.offsets)
    whole = len(sizes) == len(table.rows_r) and table.offsets[0] == 0 and (sizes >= 0).all()
    if not whole or not table.offsets[-1] == len(table.moved_d) == len(table.saddle_dc) == len(table.final_dc):
        raise GlassError(f"offsets of {path} do not fit its searches and displaced atoms; {_CURE}")
    for name, atoms in (("atom", table.rows_r["atom"]), ("moved", table.moved_d)):
        if atoms.size and not 0 <= atoms.min() <= atoms.max() < n:
            raise GlassError(f"{name} of {path} must lie in 0 … {n - 1}, got {atoms.min()} … {atoms.max()}; {_CURE}")
