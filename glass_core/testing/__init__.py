"""Checks that any descriptor or model must pass, for plugins of others as for ours.

In a plugin's own tests::

    from glass_core.testing import check_descriptor, check_model

    def test_my_model():
        check_model(MyModel())

A check that fails raises ``CheckError`` (an ``AssertionError``) which names the check and the numbers.
Checks that cannot apply are switched off by name: ``check_model(model, skip=("file",))``.
"""

from glass_core.testing.descriptors import DESCRIPTOR_CHECKS, check_descriptor
from glass_core.testing.models import MODEL_CHECKS, check_model
from glass_core.testing.structures import example_glass, ghost_cluster
from glass_core.testing.subject import CheckError

__all__ = [
    "DESCRIPTOR_CHECKS",
    "MODEL_CHECKS",
    "CheckError",
    "check_descriptor",
    "check_model",
    "example_glass",
    "ghost_cluster",
]
