"""A campaign of fake searches as a process of its own, to be killed.

runner.py OUT SEARCHES WORKERS SECONDS [LIMIT [LOG]]
"""

from __future__ import annotations

import pathlib
import resource
import sys

import numpy as np

from glass_core.campaign.dask_workers import DaskWorkers
from glass_core.campaign.plans import EachPlan
from glass_core.campaign.run import Campaign
from glass_core.campaign.work import OwnProcess, Work
from glass_core.errors import GlassError
from tests.campaign.fakes import FakeSearcher, fake_header, small_glass


def main(out: str, searches: str, workers: str, seconds: str, limit: str = "0", log: str = "") -> int:
    glass = small_glass()
    work = Work(FakeSearcher(glass.n_atoms, seconds=float(seconds), log=log), glass)
    plan = EachPlan(np.arange(glass.n_atoms, dtype=np.int32), int(searches))
    campaign = Campaign(pathlib.Path(out), fake_header(glass), plan)
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        campaign(OwnProcess(work) if workers == "1" else DaskWorkers(work, int(workers)))
    except GlassError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
