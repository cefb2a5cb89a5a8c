"""Where campaigns begin: at minima, not at saddles."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core.campaign.beginning import Beginning
from glass_core.errors import GlassError
from glass_core.frame import Frame
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.settings import ArtnSettings, Climb
from glass_core.structure import Structure

POTENTIAL = LennardJonesPotential(0.1, 2.3, 5.5)


def _crystal(fractional: list[list[float]], edge: float, cells: int) -> Frame:
    """A cubic crystal, in which no atom feels a force, whether it is stable or not."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    places = edge * (corners + np.array(fractional)).reshape(-1, 3)
    structure = Structure(places, np.zeros(len(places), int), ("Cu",), edge * cells * np.eye(3), True)
    return Frame(structure, np.arange(len(places)) + 1)


@pytest.fixture
def simple_cubic() -> Frame:
    return _crystal([[0, 0, 0]], 2.5, 5)


def _begin(frame: Frame, path: pathlib.Path, **changes) -> Structure:
    settings = changes.pop("settings", ArtnSettings())
    return Beginning(POTENTIAL, settings, **changes)(frame, "crystal.xyz", path).structure


def test_a_saddle_is_refused(simple_cubic: Frame, tmp_path: pathlib.Path) -> None:
    message = (
        r"crystal.xyz is not at a minimum of Lennard-Jones but at a saddle: .*\(curvature -\d.* eV/Å²\); add --relax"
    )
    with pytest.raises(GlassError, match=message):
        _begin(simple_cubic, tmp_path / "l.h5")
    lax = ArtnSettings(climb=Climb(second_curvature=-1e3))
    assert _begin(simple_cubic, tmp_path / "l.h5", settings=lax) is simple_cubic.structure


def test_relaxing_leaves_a_saddle(simple_cubic: Frame, tmp_path: pathlib.Path) -> None:
    found = _begin(simple_cubic, tmp_path / "l.h5", relax=True)
    before, after = (POTENTIAL.bind(s).atom_energies().sum() for s in (simple_cubic.structure, found))
    assert after < before - 1
    again = Frame(found, simple_cubic.ids_n)
    assert _begin(again, tmp_path / "l.h5") is found


def test_a_minimum_stays_as_it_is(tmp_path: pathlib.Path) -> None:
    fcc = _crystal([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], 3.6, 4)
    for relax in (False, True):
        assert _begin(fcc, tmp_path / "l.h5", relax=relax) is fcc.structure
