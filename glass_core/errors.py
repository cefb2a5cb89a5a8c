"""Errors that users see: they name the thing, the value and the cure, on one line."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable


class GlassError(ValueError):
    """Input that cannot be used. The command line prints it on one line and exits with status 2."""


class MissingExtraError(GlassError, ImportError):
    """A host or optional library is not installed; the message gives its pip line."""


def unknown(kind: str, value: object, known: Iterable[str], cure: str = "") -> GlassError:
    """Error for a name that is not in a table, offering the nearest one.

    >>> str(unknown("model", "scn", ["scnn", "barrier"]))
    "unknown model 'scn'; known: barrier, scnn. Did you mean 'scnn'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    listed = ", ".join(names) if names else "none"
    return GlassError(f"unknown {kind} {value!r}; known: {listed}.{hint}{' ' + cure if cure else ''}")


def missing_extra(package: str, extra: str) -> MissingExtraError:
    """Error for a package that belongs to an extra which is not installed."""
    return MissingExtraError(f'{package} is not installed; run: pip install "glass-plugins[{extra}]"')


def require_package(package: str, extra: str) -> None:
    """Checks that an optional package can be imported.

    Args:
        package: its name in ``import``; on PyPI it has "-" for "_".
        extra: which brings it.

    Raises:
        MissingExtraError: if it cannot; where the package is there but fails, the error says how.
    """
    try:
        importlib.import_module(package)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise missing_extra(package.replace("_", "-"), extra) from error
        raise MissingExtraError(f"{package} is installed but cannot be imported here: {error}") from error


def plain_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A warning for people: one line, without the place in our code (see ``warnings.formatwarning``)."""
    return f"glass: warning: {message}\n"
