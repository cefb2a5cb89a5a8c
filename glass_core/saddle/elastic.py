"""What fixed surroundings add to barriers."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Barrier = TypeVar("Barrier", float, NDArray[np.float64])


def elastic_error(small: Barrier, large: Barrier, small_radius: float, large_radius: float) -> Barrier:
    """How much the fixed surroundings still raise the barrier, eV.

    The excess falls as 1 / R⁴, so that barriers at two radii tell what is left at the larger:
    (b₁ − b₂) R₂⁻⁴ / (R₁⁻⁴ − R₂⁻⁴). Of 243 saddles in two Cu64Zr36 glasses, 0.04 eV above those of the whole box at
    15 Å, 0.03 eV are left of either sign; the third power, that of elasticity far away, would take off 1.7 times as
    much.

    Args:
        small, large: barriers of the same saddles at both radii, eV.
        small_radius, large_radius: Å; the larger is infinite where all atoms move.
    """
    if math.isinf(large_radius):
        return 0 * large
    return (small - large) * large_radius**-4 / (small_radius**-4 - large_radius**-4)
