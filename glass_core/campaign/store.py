"""Where the searches of a running campaign go. One process writes; see ``label_file`` for the files."""

from __future__ import annotations

import pathlib
from dataclasses import replace
from types import TracebackType

import numpy as np

from glass_core.campaign.columns import decode, row_of
from glass_core.campaign.header import Header
from glass_core.campaign.journal import DiskFullError, Journal, Kind
from glass_core.campaign.label_file import journal_of, merged, pack_header, pack_predicted, read_labels, unpack
from glass_core.campaign.label_hdf5 import read_hdf5, write_hdf5
from glass_core.campaign.labels import Labels, Predicted
from glass_core.campaign.results import Results
from glass_core.errors import GlassError
from glass_core.paths import is_file, writable_file


class Store:
    """A label file open for more searches: ``with Store(path, header) as store``.

    Leaving the block, also by an error or Ctrl-C, makes the HDF5 file and deletes the journal; where the disk is
    full, the journal stays. Nothing that ``append`` has taken is ever lost.

    Args:
        path: of the HDF5 file.
        header: of the campaign. Of a file that exists, structure and source are kept; energies of atoms that it lacks
            are added.
        predicted: predictions of the model asked for by ``--model``.
        prior: and by ``--prior``; replaces one in the file.

    Raises:
        GlassError: if the file belongs to another campaign or is no label file, if another process writes it, or
            if it cannot be written. Nothing was changed then.
    """

    def __init__(
        self, path: pathlib.Path, header: Header, predicted: Predicted | None = None, prior: Predicted | None = None
    ) -> None:
        self.path = writable_file(path)
        self._journal, found = Journal.open(journal_of(path))
        try:
            labels = self._begin(found, header, predicted, prior)
        except BaseException:
            if found:
                self._journal.close()
            else:
                self._journal.remove()
            raise
        self._header = labels.header.completed(header)
        self.results = Results.of(labels)
        self.unpredicted = bool(np.isnan(labels["predicted_saddle"][labels.accepted_r]).any())
        more = predicted is not None or prior is not None or self._header is not labels.header
        self._changed = bool(found) or not is_file(path) or more

    def _begin(
        self, found: list[tuple[Kind, bytes]], header: Header, predicted: Predicted | None, prior: Predicted | None
    ) -> Labels:
        """What there is already; the journal's first frames are written."""
        existing = read_hdf5(self.path) if is_file(self.path) else None
        recent = unpack(found, str(self._journal.path))
        labels = merged(existing, recent, str(self.path)) if existing is not None else recent
        if labels is None:
            labels = Labels(header, decode([]))
        labels.header.require_same(header, str(self.path))
        _require_same_model(labels.predicted, predicted, self.path)
        if recent is None:
            self._journal.append(Kind.HEADER, pack_header(labels.header))
        for role, model in (("predicted", predicted), ("prior", prior)):
            if model is not None:
                self._journal.append(Kind.ATOMS, pack_predicted(role, model))
        return labels

    def append(self, payload: bytes) -> bool:
        """Keeps a search (bytes from ``columns.encode``); whether it is a new one.

        Raises:
            DiskFullError: if there is no room for the next one.
        """
        found = row_of(payload)
        if self.results.has(int(found["atom"]), int(found["number"])):
            return False
        self._changed = True
        try:
            self._journal.append(Kind.SEARCH, payload)
        finally:
            self.results.add(found)
        return True

    def replace(self, payload: bytes) -> None:
        """Keeps a search again, with a prediction that it lacked."""
        self._journal.append(Kind.SEARCH, payload)

    def labels(self) -> Labels:
        """All there is now, read from the files."""
        return replace(read_labels(self.path), header=self._header)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, DiskFullError):
            self._journal.close()
            return
        try:
            if self._changed and (len(self.results) or is_file(self.path)):
                write_hdf5(self.labels(), self.path)
        except BaseException as second:
            self._journal.close()
            if not isinstance(second, GlassError):
                raise
            if error is not None:
                return  # the first error tells more; the journal holds everything
            raise GlassError(
                f"{second}; all searches are kept in {self._journal.path}, run the command again"
            ) from second
        self._journal.remove()


def _require_same_model(stored: Predicted | None, asked: Predicted | None, path: pathlib.Path) -> None:
    if stored is not None and asked is not None and stored.sha256 != asked.sha256:
        raise GlassError(
            f"{path} holds predictions of the model {stored.model} ({stored.sha256[:12]}), not of {asked.model} "
            f"({asked.sha256[:12]}); leave out --model, or give another name with -o"
        )
