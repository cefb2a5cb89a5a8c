"""Atoms and settings as users write them."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core.campaign.overrides import chosen_settings
from glass_core.campaign.selection import chosen_atoms
from glass_core.errors import GlassError
from glass_core.saddle.settings import PRESETS
from glass_core.structure import Structure


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("all", range(32)),
        ("0:5", range(5)),
        (":5", range(5)),
        ("30:", range(30, 32)),
        ("0:32:10", [0, 10, 20, 30]),
        ("7", [7]),
        ("9, 3,3", [3, 9]),
        ("random:32", range(32)),
        ("0:3, 7,30:", [0, 1, 2, 7, 30, 31]),
        ("Cu,Zr", range(32)),
    ],
)
def test_atoms(text: str, atoms: list[int], box: Structure) -> None:
    assert chosen_atoms(text, box).tolist() == list(atoms)
    assert chosen_atoms(text, box).dtype == np.int32


def test_random_atoms_are_those_of_the_seed(box: Structure) -> None:
    few, more = chosen_atoms("random:5", box, 3), chosen_atoms("random:9", box, 3)
    assert set(few.tolist()) < set(more.tolist())
    assert chosen_atoms("random:5:3", box, 0).tolist() == few.tolist()
    assert chosen_atoms("random:5", box, 4).tolist() != few.tolist()


def test_atoms_of_a_species(box: Structure) -> None:
    assert (box.symbols()[chosen_atoms("Zr", box)] == "Zr").all()
    assert len(chosen_atoms("Zr", box)) + len(chosen_atoms("Cu", box)) == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Fe", "atoms must be all, a species, an index, a range .* with commas, got 'Fe'; species are Cu, Zr$"),
        ("cu", "species are Cu, Zr. Did you mean 'Cu'?"),
        ("Cu,ALL", "got 'ALL'.* Did you mean 'all'?"),
        ("32", "atom 32 does not exist; indices run from 0 to 31"),
        ("3,40", "atom 40 does not exist"),
        ("5:2", "the range '5:2' holds no atom: its end must be greater than its start 5"),
        ("0:33", "the range '0:33' goes beyond the 32 atoms; it must lie in 0:32"),
        ("32:", "the range '32:' goes beyond the 32 atoms"),
        ("0:9:0", "the step in the range '0:9:0' must be at least 1, got 0"),
        ("9:0:-1", "must be at least 1, got -1"),
        ("-3:-1", "the range '-3:-1' is negative: atoms are counted from 0 to 31; for those from the end write 29:31$"),
        ("-6::2", "write 26:32:2$"),
        ("-99:-50", "atoms are counted from 0 to 31$"),
        ("-1", "atom -1 is negative: atoms are counted from 0 to 31; for those from the end write 31$"),
        ("-33", "counted from 0 to 31$"),
        ("random:33", "cannot choose 33 random atoms; choose from 1 to 32"),
        ("random:0", "choose from 1 to 32"),
        ("random", "random:200.*got 'random'"),
        ("", "atoms must be"),
        ("1,,2", "an entry is missing beside a comma of the atoms '1,,2'"),
        (",1", "an entry is missing"),
        ("٣:5", "atoms must be"),
    ],
)
def test_atoms_that_make_no_sense(text: str, message: str, box: Structure) -> None:
    with pytest.raises(GlassError, match=message):
        chosen_atoms(text, box)


def test_settings_from_preset_file_and_values(tmp_path: pathlib.Path) -> None:
    assert chosen_settings("tian2019") == PRESETS["tian2019"]
    file = tmp_path / "s.yaml"
    file.write_text("climb: {force: 0.04, most: 50}\nkick:\n  radius: 3\n")
    assignments = ["climb.force=2e-2", "regions.search=null", "regions.refine=none"]
    settings = chosen_settings("xu2018", file, assignments)
    assert (settings.climb.force, settings.climb.most, settings.climb.step) == (0.02, 50, 0.192)
    assert (settings.regions.search, settings.regions.refine) == (None, "none")
    assert isinstance(settings.kick.radius, float)
    assert chosen_settings("xu2018") == PRESETS["xu2018"]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("climb.forse=0.1", "unknown setting 'forse'.*Did you mean 'force'"),
        ("climbing.force=0.1", "Did you mean 'climb'"),
        ("climb=0.1", "climb in .* must hold settings such as step"),
        ("cap.high=3", "cap in .* must hold one value"),
        ("climb.force=-1", "force in climb .* must be > 0"),
        ("climb.force", "must read like climb.force=0.03"),
        ("climb.most=1.5", "must be a whole number"),
        ("kick.atoms=cube", "must be 'radius' or 'shell'"),
    ],
)
def test_settings_that_make_no_sense(assignment: str, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        chosen_settings("bauchy2024", assignments=[assignment])


def test_settings_files_that_cannot_be_used(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match=r"unknown preset 'bauchy'.*Did you mean 'bauchy2024'"):
        chosen_settings("bauchy")
    with pytest.raises(GlassError, match=r"settings file .* does not exist; give a YAML file"):
        chosen_settings("bauchy2024", tmp_path / "none.yaml")
    for text, message in (
        ("a: [", "not valid YAML"),
        ("5", "must hold keys"),
        ("push: {mots: 1}", "Did you mean 'most'"),
    ):
        (tmp_path / "s.yaml").write_text(text)
        with pytest.raises(GlassError, match=message):
            chosen_settings("bauchy2024", tmp_path / "s.yaml")
