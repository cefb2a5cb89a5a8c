"""Label files of fake searches."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.campaign.columns import decode, encode
from glass_core.campaign.labels import Labels
from glass_core.structure import Structure
from tests.campaign.fakes import fake_header, fake_record, small_glass, true_means
from tests.training.conftest import dataset

__all__ = ["dataset"]


@pytest.fixture(scope="session")
def box() -> Structure:
    """32 atoms."""
    return small_glass()


def labels_of(structure: Structure, searches: int, seed: int = 0) -> Labels:
    """The label file of a finished campaign."""
    n = structure.n_atoms
    means = true_means(seed, n)
    payloads = [encode(fake_record(seed, a, k, n, means[a])) for a in range(n) for k in range(searches)]
    return Labels(fake_header(structure, seed), decode(payloads))


def same(first: Labels, second: Labels) -> bool:
    """Whether two label files hold the same, bit for bit, but for the time that searches took."""
    names = [name for name in first.table.rows_r.dtype.names or () if name != "seconds"]
    equal = [np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f") for name in names]
    arrays = [(getattr(t, name) for t in (first.table, second.table)) for name in ("offsets", "moved_d", "saddle_dc")]
    equal += [np.array_equal(*pair) for pair in arrays]
    equal.append(np.array_equal(first.table.final_dc, second.table.final_dc, equal_nan=True))
    equal.append(np.array_equal(first.structure.positions_nc, second.structure.positions_nc))
    return all(equal) and first.header.as_json() == second.header.as_json()
