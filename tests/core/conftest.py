"""Models shared by the tests of the core."""

from __future__ import annotations

import pytest

from glass_core.models.base import DescriptorModel
from tests.core.small_models import small_barrier, small_classifier, small_linear, small_scnn

BUILDERS = {
    "scnn": small_scnn,
    "committee": small_barrier,
    "one member": lambda: small_barrier(1),
    "classifier": small_classifier,
    "two states": small_linear,
}


@pytest.fixture(scope="session", params=BUILDERS)
def any_model(request: pytest.FixtureRequest) -> DescriptorModel:
    """A model of every kind in turn."""
    return BUILDERS[request.param]()


@pytest.fixture(scope="session")
def model() -> DescriptorModel:
    """One model, where the kind does not matter."""
    return small_scnn()
