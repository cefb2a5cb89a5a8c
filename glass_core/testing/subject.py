"""What is under test, and how its values are compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError, unknown
from glass_core.structure import Ints, Structure

Columns = dict[str, NDArray[np.float64]]


class CheckError(AssertionError):
    """A descriptor or model breaks the contract; the message names the check and the numbers."""


@dataclass(frozen=True)
class Subject:
    """A descriptor or model, seen as a function from atoms to named columns.

    Attributes:
        name: what to call it in errors.
        species: species that it knows.
        receptive_field: Å.
        values: ``values(structure, centres)`` gives ``{name: column of shape (m,)}`` in the order of
            ``centres`` (None: all atoms).
        tolerance: largest accepted difference, relative to the largest absolute value of a column.
    """

    name: str
    species: tuple[str, ...]
    receptive_field: float
    values: Callable[[Structure, Ints | None], Columns]
    tolerance: float


Check = Callable[[Subject, Structure, np.random.Generator], None]


def run(
    checks: Mapping[str, Check], subject: Subject, structure: Structure, seed: int, skip: Collection[str]
) -> list[str]:
    """Runs the checks not skipped; returns their names.

    Each check draws from its own generator, so that skipping one does not change the others.
    """
    for name in skip:
        if name not in checks:
            raise unknown("check", name, checks)
    done = [name for name in checks if name not in skip]
    for name in done:
        try:
            checks[name](subject, structure, np.random.default_rng([seed, list(checks).index(name)]))
        except CheckError as error:
            raise CheckError(f"check {name!r} failed for {subject.name}: {error}") from None
        except GlassError as error:
            raise CheckError(f"check {name!r} failed for {subject.name}: it raised {error}") from error
        except Exception as error:
            error.add_note(f"in check {name!r} of {subject.name}")
            raise
    return done


def require(holds: bool, message: str) -> None:
    """Raises CheckError unless ``holds``."""
    if not holds:
        raise CheckError(message)


def require_equal(subject: Subject, expected: Columns, found: Columns, action: str) -> None:
    """Raises CheckError if a column differs by more than the tolerance, naming column, row and numbers."""
    require(list(expected) == list(found), f"after {action} the columns are {_few(found)}, not {_few(expected)}")
    for name, column in expected.items():
        other = found[name]
        require(
            other.shape == column.shape, f"after {action} {name} has shape {other.shape} in place of {column.shape}"
        )
        if not column.size:
            continue
        limit = subject.tolerance * max(float(np.abs(column).max()), 1e-3)
        difference = np.abs(other - column)
        row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
        require(
            bool(difference[row] <= limit),
            f"{action} changes {name} of row {row} from {column[row]:.9g} to {other[row]:.9g} "
            f"(difference {difference[row]:.3g}, accepted {limit:.3g})",
        )


def require_refused(action: Callable[[], object], what: str) -> None:
    """Raises CheckError unless the action raises GlassError."""
    try:
        action()
    except GlassError:
        return
    except Exception as error:
        raise CheckError(f"{what} must raise GlassError, got {type(error).__name__}: {error}") from error
    raise CheckError(f"{what} must raise GlassError, but values came back")


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" … ({len(listed)})" if len(listed) > 6 else "")
