"""Label files on disk: ``NAME.h5``, and beside it ``NAME.h5.journal`` while a campaign runs or after it was killed.

Searches go to the journal one by one. The HDF5 file is made from both, atomically, when a campaign ends: finished,
interrupted, or by an error; the journal is then deleted. It is not made while the campaign runs, for there is no
need: whatever reads a label file through ``read_labels`` reads its journal too. A journal alone is a label file.
"""

from __future__ import annotations

import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.campaign.columns import Layout, decode, joined
from glass_core.campaign.header import SCHEMA, Header
from glass_core.campaign.journal import Kind, frames
from glass_core.campaign.label_hdf5 import read_hdf5
from glass_core.campaign.labels import Labels, Predicted
from glass_core.errors import GlassError
from glass_core.paths import AnyPath, existing_file, is_file


def journal_of(path: AnyPath) -> pathlib.Path:
    """Where the journal of a label file stands."""
    path = pathlib.Path(path)
    return path.with_name(path.name + ".journal")


def is_label_file(path: AnyPath) -> bool:
    """Whether a file is one of ours (or its journal is there).

    Raises:
        GlassError: for a damaged HDF5 file.
    """
    import h5py

    if is_file(journal_of(path)):
        return True
    if not is_file(path) or not h5py.is_hdf5(path):
        return False
    try:
        with h5py.File(path, "r") as handle:
            return bool(handle.attrs.get("schema") == SCHEMA)
    except OSError as error:
        raise GlassError(
            f"{path} is a damaged HDF5 file, perhaps of searches ({error}); restore it from a copy, or remove it if "
            "there is none"
        ) from error


def refuse_labels(path: AnyPath) -> None:
    """To be called before a file that holds no searches is written.

    Raises:
        GlassError: if it would replace a label file, or a damaged HDF5 file, which may be one.
    """
    try:
        holds = is_label_file(path)
    except GlassError as error:
        raise GlassError(f"cannot write {path}, or give the output another name: {error}") from error
    if holds:
        raise GlassError(f"cannot write {path}: it holds the searches of `glass label`; give the output another name")


def read_labels(path: AnyPath) -> Labels:
    """A label file with its journal, as far as it goes; also while a campaign writes it.

    Raises:
        GlassError: if there is none, or it is damaged, foreign or too new.
    """
    path = pathlib.Path(path)
    journal = journal_of(path)
    try:  # first the journal: it vanishes once all it held stands in the file
        content = journal.read_bytes()
    except OSError:
        content = b""
    recent = unpack([(kind, payload) for kind, payload, _ in frames(content)], str(journal))
    if recent is not None and not is_file(path):
        return recent
    existing_file(path, "label file", "make it with `glass label`")
    return merged(read_hdf5(path), recent, str(path))


def merged(older: Labels, newer: Labels | None, where: str) -> Labels:
    """The searches of a file and its journal.

    Raises:
        GlassError: if the two belong to different campaigns.
    """
    if newer is None:
        return older
    older.header.require_same(newer.header, where)
    table = joined(older.table, newer.table)
    return Labels(older.header, table, newer.predicted or older.predicted, newer.prior or older.prior)


def pack_header(header: Header) -> bytes:
    """The first frame of a journal."""
    layout = json.dumps(Layout().plain())
    return _pack({"json": np.array(header.as_json()), "layout": np.array(layout), **header.arrays()})


def pack_predicted(role: str, predicted: Predicted) -> bytes:
    """A frame with the predictions of a model; ``role`` is "predicted" or "prior"."""
    names = {"role": np.array(role), "model": np.array(predicted.model), "sha256": np.array(predicted.sha256)}
    return _pack({**names, "barrier": predicted.barrier_n, "std": predicted.std_n})


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def _unpack(payload: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(payload), allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def unpack(found: Sequence[tuple[Kind, bytes]], where: str) -> Labels | None:
    """What the frames of a journal hold; None if there is no header, and so nothing."""
    first = next((payload for kind, payload in found if kind == Kind.HEADER), None)
    if first is None:
        return None
    arrays = _unpack(first)
    header = Header.from_parts(str(arrays["json"]), arrays, where)
    layout = Layout.from_plain(json.loads(str(arrays["layout"])))
    table = decode([payload for kind, payload in found if kind == Kind.SEARCH], layout).sorted()
    table = table.with_elastic_errors(header.settings.regions)
    roles = {}
    for payload in (payload for kind, payload in found if kind == Kind.ATOMS):
        p = _unpack(payload)
        roles[str(p["role"])] = Predicted(str(p["model"]), str(p["sha256"]), p["barrier"], p["std"])
    return Labels(header, table, roles.get("predicted"), roles.get("prior"))
