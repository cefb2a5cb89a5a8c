"""What the hooks refuse, each with its cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glass_core import GlassError
from lammps_hooks import attach
from lammps_hooks.schedule import Schedule
from tests.lammps.boxes import SPECIES, box

OpenBox = Callable[..., Any]


def without(word: str) -> list[str]:
    return [command for command in box() if word not in command]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"species": ("Cu",)}, "LAMMPS has 2 atom types, species has 1 names"),
        ({"species": "Cu"}, "species must be one name per atom type"),
        ({"species": None}, "species must be one name per atom type, .* got None"),
        ({"species": (29, 40)}, "species must be one name per atom type"),
        (
            {"species": ("Cu", "Al")},
            "species 'Al' .* is unknown to model .*; name one of these for its type .*, or choose another model",
        ),
        ({"species": SPECIES, "every": 0}, "every must be a number of steps ≥ 1, got 0"),
        ({"species": SPECIES, "outputs": ["bariere"]}, "Did you mean 'barrier'"),
        ({"species": SPECIES, "outputs": ["barrier", "barrier"]}, "outputs name 'barrier' twice"),
        ({"species": SPECIES, "outputs": "barrier"}, "outputs must be a sequence of names"),
        ({"species": SPECIES, "model": "scn"}, "Did you mean 'scnn'"),
    ],
)
def test_wrong_settings(open_box: OpenBox, settings: dict[str, Any], message: str) -> None:
    lmp = open_box()
    with pytest.raises(GlassError, match=message):
        attach(lmp, **settings)
    assert lmp.available_ids("fix") == ["move"]


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (["units metal"], "no simulation box yet"),
        (["units metal", "region box block 0 9 0 9 0 9", "create_box 2 box"], "no atoms yet"),
        (
            ["units lj", "region box block 0 9 0 9 0 9", "create_box 2 box", "create_atoms 1 single 1 1 1"],
            "units must be metal or real .* got lj",
        ),
        (
            ["units metal", "dimension 2", "region box block 0 9 0 9 -1 1", "create_box 2 box",
             "create_atoms 1 single 1 1 0"],
            "dimension 2",
        ),
    ],
)  # fmt: skip
def test_wrong_runs(open_box: OpenBox, commands: list[str], message: str) -> None:
    with pytest.raises(GlassError, match=message):
        attach(open_box(commands), species=SPECIES)


def test_closed_instance(open_box: OpenBox) -> None:
    lmp = open_box()
    lmp.close()
    with pytest.raises(GlassError, match="is closed"):
        attach(lmp, species=SPECIES)


def test_properties_removed_during_work(open_box: OpenBox) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES)
    lmp.command("unfix glass_store")
    with pytest.raises(GlassError, match="LAMMPS has no per-atom property d_glass_"):
        lmp.command("run 0")


def test_schedule_of_a_run_a_minimisation_and_a_rerun() -> None:
    import numpy as np

    def places(x: float) -> np.ndarray:
        return np.full((1, 3), x)

    schedule = Schedule(every=4)
    asked = [(0, 0, 0.0), (1, 1, 0.1), (2, 2, 0.2), (3, 3, 0.3), (4, 4, 0.4), (5, 5, 0.5)]
    assert [schedule.due(s, e, places(x)) for s, e, x in asked] == [True, False, False, False, True, False]
    # Minimisation: setup, line search of two evaluations, a step that is a multiple, the end at step 9.
    asked = [(5, 0, 0.5), (6, 1, 0.6), (6, 1, 0.7), (7, 2, 0.8), (8, 3, 0.9), (8, 3, 1.0), (9, 4, 1.1), (9, 4, 1.1)]
    expected = [True, False, False, False, True, True, False, True]
    assert [schedule.due(s, e, places(x)) for s, e, x in asked] == expected
    # The last iteration of a minimisation: whatever its line search does, the last evaluation counts.
    asked = [(9, 0, 1.1), (10, 1, 1.2), (10, 1, 1.3), (11, 2, 1.4), (11, 2, 1.5)]
    assert [schedule.due(s, e, places(x), last=s == 11) for s, e, x in asked] == [True, False, False, True, True]
    # Rerun: steps jump, and only the first has none elapsed.
    assert [schedule.due(s, s - 1, places(0.0)) for s in (1, 11, 21)] == [True, True, True]
