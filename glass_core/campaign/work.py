"""What workers do: a search, and the prediction at its saddle where that is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from glass_core.campaign.columns import encode
from glass_core.campaign.results import Task
from glass_core.errors import GlassError
from glass_core.saddle.records import SearchRecord, State
from glass_core.saddle.settings import Events
from glass_core.structure import Structure

_SAME = Events()


class Search(Protocol):
    """Ready to search."""

    def __call__(self, atom: int, number: int) -> SearchRecord:
        """One search; the same for the same atom and number, wherever it runs."""
        ...


class Searching(Protocol):
    """Settings of searches (``saddle.searcher.Searcher``); pickled to workers."""

    def bound(self) -> Search:
        """Prepares once per process."""
        ...


@dataclass(frozen=True, eq=False)
class Work:
    """What is sent to each worker, once.

    Attributes:
        searcher: settings of the searches.
        structure: the minimum.
        model: name or path of a model whose prediction at each saddle is wanted; "" for none.
        displacements: those of atoms that move further are kept for each saddle that counts, Å; infinite for none.
        same: which events are the same.
    """

    searcher: Searching
    structure: Structure
    model: str = ""
    displacements: float = _SAME.kept
    same: Events = _SAME

    def bound(self) -> BoundWork:
        """Ready to work: code compiled on this machine, neighbour lists made, model loaded."""
        from glass_core.campaign.compiling import compile_apart, is_to_compile
        from glass_core.saddle.searcher import Searcher

        searcher = self.searcher
        if isinstance(searcher, Searcher) and is_to_compile(searcher.potential):
            compile_apart(searcher.structure, searcher.potential)
        return BoundWork(self)


class BoundWork:
    """Does searches."""

    def __init__(self, work: Work) -> None:
        self._search: Search | None = work.searcher.bound()
        self._work, self._model = work, None
        if work.model:
            from glass_core.campaign.predictions import barrier_model

            self._model = barrier_model(work.model)

    def __call__(self, atom: int, number: int) -> bytes:
        """A search as it is kept (``columns.encode``).

        One in which the potential fails is warned of and kept as such, so that it does not stop all others.
        """
        record = self._searched(atom, number)
        kept = record.displaced_beyond(self._work.displacements)
        if self._model is None:
            return encode(kept)
        from glass_core.campaign.predictions import predicted_saddle

        # Of what is kept, so that a model that is asked later, of a file, says the same.
        told = kept if len(kept.moved_d) else record.displaced_beyond(self._work.same.kept)
        return encode(kept, predicted_saddle(self._model, self._work.structure, told))

    def _searched(self, atom: int, number: int) -> SearchRecord:
        try:
            self._search = self._search or self._work.searcher.bound()
            return self._search(atom, number)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a potential raises
            reason = str(error) if isinstance(error, GlassError) else f"{type(error).__name__}: {error}"
            warnings.warn(f"search {number} around atom {atom} failed: {reason}", RuntimeWarning, stacklevel=2)
            self._search = None  # what failed may have left the potential in any state
            return SearchRecord(atom, number, State.FAILED)


class Workers(Protocol):
    """Whoever does searches. Used as a context manager."""

    @property
    def count(self) -> int:
        """How many there are now."""
        ...

    def __call__(self, tasks: Sequence[Task]) -> Iterator[bytes]:
        """Searches in any order, each as soon as it is done; b"" now and then where none is."""
        ...

    def arrived(self) -> list[bytes]:
        """Searches that are done and were not given out yet."""
        ...

    def __enter__(self) -> object: ...

    def __exit__(self, *error: object) -> None: ...


class OwnProcess:
    """This process does the searches, one by one."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bound: BoundWork | None = None
        self.count = 1

    def __enter__(self) -> OwnProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._bound = None

    def arrived(self) -> list[bytes]:
        """None: each is given out at once."""
        return []

    def __call__(self, tasks: Sequence[Task]) -> Iterator[bytes]:
        """Searches in the order of ``tasks``."""
        for atom, number in tasks:
            self._bound = self._bound or self._work.bound()
            yield self._bound(atom, number)
