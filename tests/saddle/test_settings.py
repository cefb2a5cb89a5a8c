"""Each setting of a search decides something, and none is lost on the way to a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
import pytest

from glass_core.campaign.overrides import chosen_settings
from glass_core.errors import GlassError
from glass_core.potentials.base import Region
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.minimise import minimise
from glass_core.saddle.records import SADDLES, State
from glass_core.saddle.searcher import Searcher
from glass_core.saddle.settings import PRESETS, ArtnSettings, preset
from glass_core.structure import Structure, replace_fields

ATOM = 1234
# A value of each setting that changes one search in some ten; with what else it needs to matter at all.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "kick.atoms": ("shell",),
    "kick.radius": ("3.4",),
    "kick.reach": ("4.0", "kick.atoms=shell"),
    "push.first": ("0.4",),
    "push.step": ("0.1",),
    "push.most": ("1",),
    "push.relaxations": ("3",),
    "push.threshold": ("-1.0",),
    "push.lanczos_first": ("4",),
    "push.lanczos": ("3",),
    "push.lanczos_after": ("3",),
    "climb.step": ("0.1",),
    "climb.relaxations_first": ("2",),
    "climb.relaxations_most": ("8",),
    "climb.relaxed": ("0.1",),
    "climb.lanczos": ("3",),
    "climb.force": ("0.02",),
    "climb.enough": ("0.1",),
    "climb.patience": ("1",),
    "climb.second_vectors": ("2",),
    "climb.second_curvature": ("-0.5",),
    "climb.descents": ("3",),
    "climb.most": ("5",),
    "climb.resumes": ("0",),
    "sides.push": ("0.1",),
    "sides.pushes": ("1",),
    "sides.fall": ("0.1",),
    "sides.force": ("1.0",),
    "sides.converged": ("0.005",),
    "sides.most": ("20",),
    "sides.same": ("2.0",),
    "sides.near": ("0.1",),
    "regions.search": ("9.0",),
    "regions.refine": ("none",),
    "regions.refine_radius": ("13.0",),
    "regions.both_sides": ("true",),
    "regions.same": ("0.001",),
    "modes.settled": ("0.1",),
    "modes.second_settled": ("0.3",),
    "modes.difference": ("0.05",),
    "relax.across": ("0.02",),
    "relax.down": ("0.05",),
    "relax.rise": ("1.0",),
    "relax.remembered": ("2",),
    "relax.compliance": ("0.01",),
    "counted": ("accepted",),
    "cap": ("0.5",),
    "farthest": ("0.5",),
    "minimum_force": ("0.0",),
}


class WithoutSecondDerivatives:
    """A potential whose surfaces know forces alone."""

    def __init__(self, potential: Any) -> None:
        self._potential = potential
        self.name, self.digest = potential.name, potential.digest

    def bind(self, structure: Any) -> Any:
        bound = self._potential.bind(structure)

        class Bound:
            def region(self, centre: int, radius: float | None) -> Region:
                region = bound.region(centre, radius)
                return dataclasses.replace(region, surface=Forces(region.surface))

        return Bound()


class Forces:
    """A surface without its second derivatives."""

    def __init__(self, surface: Any) -> None:
        self.energy_forces, self.restart = surface.energy_forces, surface.restart


def names(content: Mapping[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in content.items():
        found += names(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [prefix + key]
    return found


def told(record):
    """What a search found, but for last digits."""
    numbers = np.array([record.barrier, record.final_energy, record.curvature, record.elastic_error])
    return record.state, record.calls, record.products, *np.round(np.nan_to_num(numbers, nan=-1.0), 6)


@pytest.fixture(scope="session")
def found(searcher):
    """What the searches that any test asked for found, by the other settings that it needs."""
    return {}


@pytest.mark.parametrize("name", [n for n in names(ArtnSettings().as_dict()) if not n.startswith("events.")])
def test_a_setting_changes_searches(name, searcher, found):
    value, *needed = OTHERS[name]
    if name == "modes.difference":
        searcher = dataclasses.replace(searcher, potential=WithoutSecondDerivatives(searcher.potential))
    usual, other = (
        dataclasses.replace(searcher, settings=chosen_settings("bauchy2024", assignments=given)).bound()
        for given in (needed, [*needed, f"{name}={value}"])
    )
    known = found.setdefault((name == "modes.difference", *needed), {})
    for number in count():
        if number not in known:
            known[number] = told(usual(ATOM, number))
        try:
            if told(other(ATOM, number)) != known[number]:
                return
        except GlassError:
            assert name == "minimum_force"
            return
        assert number < 60


def test_searches_do_not_depend_on_units():
    """Powers of two divide without rounding, so that a constant with a unit of its own would change the path."""
    length, energy = 4.0, 0.25
    settings = chosen_settings("bauchy2024", assignments=["regions.search=7.0", "regions.refine_radius=8.5"])
    structure, centre = crystal_with_a_vacancy(epsilon=0.5, sigma=2.5)
    small = replace_fields(
        structure, positions_nc=structure.positions_nc / length, cell_cc=structure.cell_cc / length
    )  # fmt: skip
    ours = Searcher(structure, LennardJonesPotential(0.5, 2.5, 6.25), settings).bound()
    reduced = LennardJonesPotential(0.5 / energy, 2.5 / length, 6.25 / length)
    theirs = Searcher(small, reduced, settings.scaled(length, energy)).bound()
    pairs = [(ours(centre, number), theirs(centre, number)) for number in range(6)]
    assert {one.state for one, _ in pairs} >= {State.ACCEPTED, State.OVER_CAP}
    for one, other in pairs:
        assert (one.state, one.calls, one.products) == (other.state, other.calls, other.products)
        assert other.barrier * energy == pytest.approx(one.barrier, abs=1e-4, nan_ok=True)


def test_which_saddles_count():
    for name, counted in (("bauchy2024", SADDLES), ("reduced", SADDLES), ("strict", (State.ACCEPTED,))):
        assert [state for state in State if preset(name).counts(state, 0.01)] == list(counted)
        assert not any(preset(name).counts(state, energy) for state in State for energy in (0.0, -0.1, float("nan")))


@pytest.mark.parametrize(("length", "energy"), [(0.0, 1.0), (-1.0, 1.0), (1.0, float("nan"))])
def test_units_must_be_positive(length, energy):
    with pytest.raises(GlassError, match=r"unit of (length|energy) must be"):
        ArtnSettings().scaled(length, energy)


def crystal_with_a_vacancy(epsilon: float, sigma: float) -> tuple[Structure, int]:
    """499 atoms at rest, face-centred cubic but for one that is missing, and one of its neighbours."""
    corners = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = (np.indices((5, 5, 5)).reshape(3, -1).T[:, None] + corners).reshape(-1, 3) * 1.55 * sigma
    missing, sites = sites[62], np.delete(sites, 62, axis=0)
    structure = Structure(sites, np.zeros(len(sites), int), ("Cu",), np.full(3, 5 * 1.55 * sigma), True)
    potential = LennardJonesPotential(epsilon, sigma, 2.5 * sigma)
    rest = minimise(potential.bind(structure).region(0, None).surface, sites, 1e-4)
    assert rest.converged
    beside = np.linalg.norm(sites - missing, axis=1).argmin()
    return replace_fields(structure, positions_nc=rest.positions_nc), int(beside)


def test_settings_survive_a_round_trip_and_refuse_what_they_do_not_know():
    for name in PRESETS:
        assert ArtnSettings.from_dict(preset(name).as_dict()) == preset(name)
    with pytest.raises(GlassError, match="Did you mean 'relaxations'"):
        ArtnSettings.from_dict({"push": {"relaxation": 3}})
    with pytest.raises(GlassError, match="unknown preset 'bauchy'"):
        preset("bauchy")
