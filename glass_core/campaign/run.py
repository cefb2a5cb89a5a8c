"""A campaign from its first search to its last, or from where it was left."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from glass_core.campaign.columns import encode
from glass_core.campaign.header import Header
from glass_core.campaign.journal import DiskFullError
from glass_core.campaign.label_file import read_labels
from glass_core.campaign.labels import Labels, Predicted
from glass_core.campaign.plans import Plan
from glass_core.campaign.store import Store
from glass_core.campaign.work import Workers
from glass_core.errors import GlassError

_MOST_FRUITLESS = 25


@dataclass(frozen=True)
class Progress:
    """How far a campaign is.

    Attributes:
        done: searches that the plan wanted and has, among them those of earlier runs.
        total: that it will have wanted in the end, as far as one can tell.
        searches: in the file.
        accepted: of these.
        workers: at work now.
    """

    done: int
    total: int
    searches: int
    accepted: int
    workers: int


Tell = Callable[[Progress], None]


@dataclass(frozen=True, eq=False)
class Campaign:
    """What to search for and where to keep it.

    Attributes:
        path: of the label file. One that exists is gone on with.
        header: structure, potential, settings, seed.
        plan: which searches.
        model: name or path of the model whose predictions at saddles the workers add; "" for none.
        predicted: its predictions at the minimum.
        prior: predictions of the model that serves as prior.
    """

    path: pathlib.Path
    header: Header
    plan: Plan
    model: str = ""
    predicted: Predicted | None = None
    prior: Predicted | None = None

    def __call__(self, workers: Workers, tell: Tell = lambda progress: None) -> Labels:
        """Does all searches that are not done yet.

        Returns:
            The label file, which also holds searches of earlier runs that this plan did not ask for.

        Raises:
            GlassError: if the file belongs to another campaign, the disk is full, or all of the first searches
                fail; what is finished is in the file, and the same call goes on.
        """
        with Store(self.path, self.header, self.predicted, self.prior) as store:
            if self.model and store.unpredicted:
                _predict(store, self.model)
            with workers:
                self._search(store, workers, tell)
        return read_labels(self.path)

    def _search(self, store: Store, workers: Workers, tell: Tell) -> None:
        done = 0
        for wanted in self.plan.rounds(store.results):
            tasks = [task for task in wanted.tasks if not store.results.has(*task)]
            tasks.sort(key=lambda task: task in store.results.failed)  # those last
            done += len(wanted.tasks) - len(tasks)
            total = done + len(tasks) + wanted.later
            tell(_progress(store, workers, done, total))
            try:
                for payload in workers(tasks):
                    done += bool(payload) and store.append(payload)
                    tell(_progress(store, workers, done, total))
                    if store.results.fruitless == len(store.results) >= _MOST_FRUITLESS:
                        raise GlassError(
                            f"all of the first {_MOST_FRUITLESS} searches failed, as the warnings tell: mend the "
                            "potential or its input, and run the same command again"
                        )
            except BaseException:
                for payload in workers.arrived():
                    with suppress(DiskFullError):  # written to the reserve nevertheless
                        store.append(payload)
                raise


def _progress(store: Store, workers: Workers, done: int, total: int) -> Progress:
    return Progress(done, total, len(store.results), store.results.accepted, workers.count)


def _predict(store: Store, name: str) -> None:
    """Predictions at the saddles of events that an earlier run found without a model."""
    from glass_core.campaign.predictions import barrier_model, predicted_saddle

    model, labels = barrier_model(name), store.labels()
    for event in labels.events():
        if np.isnan(labels["predicted_saddle"][event]):
            record = labels.moving(int(event))
            store.replace(encode(record, predicted_saddle(model, labels.structure, record)))
