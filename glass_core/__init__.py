"""Where will the atoms of a glass move: descriptors, models and predictions, independent of any host."""

from typing import TYPE_CHECKING

from glass_core.errors import GlassError
from glass_core.hookspecs import hookimpl
from glass_core.structure import Structure

if TYPE_CHECKING:
    from glass_core.model_file import load_model
    from glass_core.outputs import PerAtom
    from glass_core.prediction import predict

__version__ = "0.1.0"
__all__ = ["GlassError", "PerAtom", "Structure", "hookimpl", "load_model", "predict"]


def __getattr__(name: str) -> object:
    """Loads the rest of the public surface when first used, so that importing hosts stays quick."""
    if name == "PerAtom":
        from glass_core.outputs import PerAtom

        return PerAtom
    if name == "load_model":
        from glass_core.model_file import load_model

        return load_model
    if name == "predict":
        from glass_core.prediction import predict

        return predict
    raise AttributeError(f"module 'glass_core' has no attribute {name!r}")
