"""What workers do: a search, and the prediction at its saddle where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from glass_core.campaign.columns import encode
from glass_core.campaign.results import Task
from glass_core.errors import GlassError
from glass_core.saddle.records import SearchRecord
from glass_core.structure import Structure


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
        displacements: whether to keep how atoms move in each event.
    """

    searcher: Searching
    structure: Structure
    model: str = ""
    displacements: bool = True

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
        self._search, self._work, self._model = work.searcher.bound(), work, None
        if work.model:
            from glass_core.campaign.predictions import barrier_model

            self._model = barrier_model(work.model)

    def __call__(self, atom: int, number: int) -> bytes:
        """A search as it is kept (``columns.encode``).

        Raises:
            GlassError: if it is impossible around this atom.
        """
        try:
            record = self._search(atom, number)
        except GlassError as error:
            raise GlassError(f"search {number} around atom {atom}: {error}") from error
        kept = record if self._work.displacements else record.without_displacements()
        if self._model is None:
            return encode(kept)
        from glass_core.campaign.predictions import predicted_saddle

        return encode(kept, predicted_saddle(self._model, self._work.structure, record))


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
