"""``glass label`` as users type it, on searches that need no potential."""

from __future__ import annotations

import json
import math
import os
import pathlib
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import h5py
import numpy as np
import pytest

from glass_core import potentials
from glass_core.campaign import request
from glass_core.campaign.label_file import read_labels
from glass_core.campaign.run import Progress
from glass_core.cli import label as command
from glass_core.cli import progress
from glass_core.cli.label_summary import _MEANINGS
from glass_core.cli.main import main
from glass_core.errors import GlassError
from glass_core.file_formats import write_dump
from glass_core.frame import Frame
from glass_core.model_file import save_model
from glass_core.models.calibration import SpreadError
from glass_core.potentials.lennard_jones import LennardJonesPotential
from glass_core.saddle.records import SearchRecord, State
from glass_core.structure import Structure
from tests.campaign import fakes
from tests.campaign.conftest import labels_of, same
from tests.campaign.fakes import BoundWell, FakeFromPotential, fake_potential


@pytest.fixture(autouse=True)
def no_potential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(potentials, "potential_of", fake_potential, raising=False)
    monkeypatch.setattr(request, "Searcher", FakeFromPotential)


@pytest.fixture
def dump(tmp_path: pathlib.Path, box: Structure) -> pathlib.Path:
    path = tmp_path / "glass.dump"
    write_dump(path, Frame(box, np.arange(101, 133)), {}, {})
    return path


def label(dump: pathlib.Path, *more: object) -> int:
    out = dump.with_name("l.h5")
    # In the tiny box all atoms move.
    arguments = ["label", dump, "-p", "well", "-o", out, "--workers", 1, "--set", "regions.search=null", *more]
    return main([str(a) for a in arguments])


def fails(dump: pathlib.Path, capsys: pytest.CaptureFixture[str], *more: object) -> str:
    capsys.readouterr()
    assert label(dump, *more) == 2
    error = capsys.readouterr().err
    assert error.startswith("glass: error: ")
    assert error.count("\n") == 1
    return error


def test_label_and_go_on(dump: pathlib.Path, box: Structure, capsys: pytest.CaptureFixture[str]) -> None:
    out = dump.with_name("l.h5")
    assert label(dump, "--searches", 3, "--atoms", "0:16", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["searches"], summary["atoms_searched"], summary["atoms"]) == (48, 16, 32)
    assert summary["out"] == str(out)
    assert label(dump, "--searches", 5) == 0
    text = capsys.readouterr().out
    assert "160 searches around 32 of 32 atoms" in text
    assert "accepted" in text
    assert f"wrote {out}" in text
    labels = read_labels(out)
    assert same(type(labels)(labels_of(box, 5).header, labels.table), labels_of(box, 5))
    assert labels.ids_n[0] == 101
    assert labels.header.source["file"] == "glass.dump"
    assert labels.header.source["relaxed"] is False
    assert "numpy" in labels.header.source["versions"]
    assert labels.header.structure.n_atoms == 32


def test_two_workers(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    assert label(dump, "--searches", 3) == 0
    first = read_labels(dump.with_name("l.h5"))
    dump.with_name("l.h5").unlink()
    assert label(dump, "--searches", 3, "--workers", 2) == 0
    assert same(first, read_labels(dump.with_name("l.h5")))


def test_other_campaigns_are_refused(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert label(dump, "--searches", 1) == 0
    before = dump.with_name("l.h5").read_bytes()
    assert "seed 0, not 1" in fails(dump, capsys, "--seed", 1)
    assert "climb.force = 0.05, not 0.03" in fails(dump, capsys, "--set", "climb.force=0.03")
    assert "kick.radius = 3.8, not 3.7" in fails(dump, capsys, "--preset", "xu2018")
    assert "potential well (wwwwwwwwwwww), not with other (" in fails(dump, capsys, "-p", "other")
    shifted = dump.read_text().replace("ITEM: TIMESTEP\n0", "ITEM: TIMESTEP\n1")
    lines = shifted.splitlines()
    words = lines[9].split()
    lines[9] = " ".join([*words[:3], str(float(words[3]) + 0.5), *words[4:]])
    dump.write_text("\n".join(lines) + "\n")
    assert "atom 0 lies 0.5 Å from its place there" in fails(dump, capsys)
    assert dump.with_name("l.h5").read_bytes() == before


def test_a_potential_that_gives_other_energies_under_the_same_name_is_refused(
    dump: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a calculator does whose weights are in a file that its code reads."""
    assert label(dump, "--searches", 1) == 0
    before = dump.with_name("l.h5").read_bytes()
    plain = BoundWell.energy_forces
    monkeypatch.setattr(BoundWell, "energy_forces", lambda *a: tuple(1.01 * value for value in plain(*a)))
    assert "was begun with a well that gave other energies" in fails(dump, capsys, "--searches", 2)
    assert dump.with_name("l.h5").read_bytes() == before
    monkeypatch.setattr(BoundWell, "energy_forces", plain)
    assert label(dump, "--searches", 2) == 0


@pytest.mark.parametrize("shaken", [math.nan, "raises"])
def test_a_potential_that_cannot_be_shaken_labels_all_the_same(
    dump: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shaken: object
) -> None:
    plain = BoundWell.energy_forces

    def fragile(self: BoundWell, positions_nc: np.ndarray) -> tuple[float, np.ndarray]:
        energy, forces = plain(self, positions_nc)
        if energy > 1.0:
            if shaken == "raises":
                raise ArithmeticError("atoms too close")
            energy = math.nan
        return energy, forces

    monkeypatch.setattr(BoundWell, "energy_forces", fragile)
    for searches in (1, 2):
        assert label(dump, "--searches", searches) == 0
    assert "shaken_energy" not in read_labels(dump.with_name("l.h5")).header.source


def test_a_label_file_that_was_cut_off(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert label(dump, "--searches", 1) == 0
    out = dump.with_name("l.h5")
    out.write_bytes(out.read_bytes()[:-100])
    assert f"{out} is a damaged HDF5 file, perhaps of searches" in fails(dump, capsys, "--searches", 2)


def test_a_structure_that_is_not_at_a_minimum(dump: pathlib.Path, box: Structure, capsys) -> None:
    error = fails(dump, capsys, "-p", "well:0.1")
    assert "not at a minimum of well: the force on atom 0 is 1 eV/Å, more than 0.02; add --relax" in error
    assert not dump.with_name("l.h5").exists()
    assert label(dump, "-p", "well:0.1", "--relax", "--searches", 1) == 0
    labels = read_labels(dump.with_name("l.h5"))
    np.testing.assert_allclose(labels.structure.positions_nc, box.positions_nc + np.array([0.1, 0, 0]), atol=0.002)
    np.testing.assert_allclose(labels.header.given_nc, box.positions_nc, atol=1e-6)
    assert labels.header.source["relaxed"] is True
    for more in (("--relax",), ()):  # goes on from the relaxed one, with the same command or without
        assert label(dump, "-p", "well:0.1", *more, "--searches", 2) == 0
        again = read_labels(dump.with_name("l.h5"))
        np.testing.assert_array_equal(again.structure.positions_nc, labels.structure.positions_nc)
    assert len(again) == 64


def test_adaptive_mode(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert label(dump, "--target-error", 0.15, "--most", 40, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["standard_error_ev"] < 0.15
    assert 12 * 32 < summary["searches"] < 30 * 32


def test_models_as_prior_and_at_saddles(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--searches", 2, "--atoms", "0:4")
    assert label(dump, *arguments, "--prior", "barrier", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["prior"]["model"] == "barrier"
    assert summary["searches"] == 8
    assert label(dump, "--searches", 1, "--atoms", "0:4", "--model", "symgnn") == 0
    assert "symgnn predicts" in capsys.readouterr().out
    labels = read_labels(dump.with_name("l.h5"))
    events = labels.events()
    assert np.isfinite(labels["predicted_saddle"][events]).all()
    assert np.isnan(np.delete(labels["predicted_saddle"], events)).all()
    assert labels.prior is not None  # of the first run
    event = int(events[0])
    from glass_core import load_model, predict

    atom = int(labels["atom"][event])
    again = predict(load_model("symgnn"), labels.configuration(event), [atom])["barrier"].values[0]
    assert labels["predicted_saddle"][event] == pytest.approx(again, abs=1e-9)
    assert "predictions of the model symgnn" in fails(dump, capsys, "--searches", 1, "--model", "barrier")
    assert "no barrier in eV" in fails(dump, capsys, "--model", "scnn")
    alone = replace(load_model("symgnn"), members=load_model("symgnn").members[:1], error=None)
    save_model(alone, dump.with_name("alone.safetensors"))
    assert "gives no barrier_std" in fails(dump, capsys, "--prior", dump.with_name("alone.safetensors"))
    save_model(replace(load_model("symgnn"), error=SpreadError(0.0, 0.0, 5.0)), dump.with_name("sure.safetensors"))
    assert "explains all of its errors" in fails(dump, capsys, "--prior", dump.with_name("sure.safetensors"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--searches", 0), "searches must be at least 1, got 0"),
        (("--workers", 0), "workers must be at least 1, got 0"),
        (("--seed", -1), "seed must not be negative"),
        (("--target-error", 0), "target error must be > 0 eV"),
        (("--atoms", "0:99"), "must lie in 0:32"),
        (("--atoms", "-3:-1"), "the range '-3:-1' is negative: atoms are counted from 0 to 31; for those from the end"),
        (("--atoms", "-3,5"), "atom -3 is negative"),
        (("--preset", "bauchi2024"), "Did you mean 'bauchy2024'"),
        (("-o", "labels.txt"), "must end in .h5"),
        (("-o", "/no/labels.h5"), "does not exist; make it first"),
        (("--scheduler", "tcp://127.0.0.1:9"), "give either"),
        (("-s", "Cu=Fe"), "species 'Fe'"),
    ],
)
def test_mistakes_are_one_line(dump: pathlib.Path, arguments: tuple[object, ...], message: str, capsys) -> None:
    assert message in fails(dump, capsys, *arguments)
    assert [p.name for p in dump.parent.iterdir()] == ["glass.dump"]


def test_the_structure_is_not_overwritten(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = dump.with_name("l.h5")
    copy.write_bytes(dump.read_bytes())
    assert "it is the input" in fails(copy, capsys)
    assert "no label file" in fails(dump, capsys) or "not a readable label file" in fails(dump, capsys)


def test_a_polite_kill_ends_like_an_interrupt(dump: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    class Killed(FakeFromPotential):
        def bound(self) -> Callable[[int, int], SearchRecord]:
            search = super().bound()

            def searched(atom: int, number: int) -> SearchRecord:
                if (atom, number) == (4, 1):
                    os.kill(os.getpid(), signal.SIGTERM)
                return search(atom, number)

            return searched

    monkeypatch.setattr(request, "Searcher", Killed)
    before = signal.getsignal(signal.SIGTERM)
    assert label(dump, "--searches", 2) == 130
    assert "run the same command to go on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before
    assert 8 <= len(read_labels(dump.with_name("l.h5"))) <= 10
    assert sorted(p.name for p in dump.parent.iterdir()) == ["glass.dump", "l.h5"]


def test_the_log_tells_counts_acceptance_and_workers(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in ("_FIRST", "_EVERY", "_LOOK"):
        monkeypatch.setattr(progress, name, 0.01)
    with command._searching(False) as tell:
        tell(Progress(10, 40, 110, 77, 0))
        time.sleep(0.05)
        tell(Progress(20, 40, 120, 60, 1))
        time.sleep(0.05)
        tell(Progress(30, 40, 130, 65, 2))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "searching: 25 %, 10 of 40 after 0 s, 70 % accepted, waiting for workers"
    assert lines[-1] == "searching: 75 %, 30 of 40 after 0 s, 50 % accepted, 2 workers"
    assert "searching: 50 %, 20 of 40 after 0 s, 50 % accepted, 1 worker" in lines


def test_searches_of_earlier_runs_are_no_part_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    @contextmanager
    def counted(*arguments: object) -> Iterator[Callable[..., None]]:
        yield lambda *state: told.append(state[:3])

    monkeypatch.setattr(command, "counted", counted)
    with command._searching(False) as tell:
        for done, searches in ((0, 500), (300, 500), (310, 510)):
            tell(Progress(done, 400, searches, 100, 2))
    assert told == [(0, 400, 0), (300, 400, 0), (310, 400, 10)]


def test_progress_of_a_log_and_none_with_json(dump: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in ("_FIRST", "_EVERY", "_LOOK"):
        monkeypatch.setattr(progress, name, 0.001)
    assert label(dump, "--searches", 3) == 0
    assert "searching: 100 %, 96 of 96 after " in capsys.readouterr().err
    assert label(dump, "--searches", 6, "--json") == 0
    assert not capsys.readouterr().err


def test_summary_of_few_atoms_and_of_many(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert label(dump, "--searches", 12, "--atoms", "0:29", "--json") == 0
    few = json.loads(capsys.readouterr().out)
    assert few["atoms_labelled"] == 29
    assert few["expected_retest_correlation"] is None
    assert few["expected_retest_correlation_error"] is None
    assert few["distinct_events"] == few["states"]["accepted"]
    assert label(dump, "--searches", 12, "--atoms", "0:29") == 0
    assert "another campaign" not in capsys.readouterr().out
    assert label(dump, "--searches", 12, "--json") == 0
    many = json.loads(capsys.readouterr().out)
    assert 0.3 < many["expected_retest_correlation"] < 0.9
    assert 0.02 < many["expected_retest_correlation_error"] < 0.3
    assert label(dump, "--searches", 12) == 0
    text = capsys.readouterr().out
    number = f"{many['expected_retest_correlation']:.2f} ± {many['expected_retest_correlation_error']:.2f}"
    assert f"would correlate with it, atom by atom, by {number}\n" in text
    accepted = many["states"]["accepted"]
    assert f"{accepted} events, {accepted} distinct, around 32 atoms\n" in text
    assert "eV between atoms and" in text


def test_summary_without_an_event(dump: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(fakes, "ACCEPTANCE", -1.0)
    assert label(dump, "--searches", 2) == 0
    text = capsys.readouterr().out
    assert "64  100.0  no direction downwards was found or kept" in text
    assert "no saddle that counts was found, so there is no label yet\n" in text
    assert " - " not in text


def test_every_end_of_a_search_is_explained() -> None:
    assert set(_MEANINGS) == {state.value for state in State}


def test_atoms_without_anything_to_move_against(tmp_path: pathlib.Path, capsys) -> None:
    path = tmp_path / "glass.dump"

    def write(positions: list[list[float]]) -> None:
        structure = Structure(positions, [0] * len(positions), ("Cu", "Zr"), 20 * np.eye(3), True)
        write_dump(path, Frame(structure, np.arange(len(positions)) + 1), {}, {})

    write([[1, 1, 1]])
    assert "glass.dump holds a single atom, which has nothing to move against" in fails(path, capsys)
    write([[1, 1, 1], [3.5, 1, 1], [11, 11, 11], [1, 11, 1]])
    assert label(path, "--searches", 1) == 0  # of a potential that does not tell its reach
    path.with_name("l.h5").unlink()
    lennard_jones = LennardJonesPotential(0.1, 2.3, 5.5)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(potentials, "potential_of", lambda text: lennard_jones)
        monkeypatch.setattr(request, "is_to_compile", lambda potential: False)
        error = fails(path, capsys, "--relax")
        assert "atom 2 of " in error
        assert "(and 1 more) has no other atom within 5.5 Å, the reach of Lennard-Jones" in error
        assert "atom 3 of " in fails(path, capsys, "--relax", "--atoms", "0,3")
        assert label(path, "--relax", "--atoms", "0:2", "--searches", 1) == 0


def test_boxes_that_are_narrow_are_told_and_too_small_ones_refused(
    dump: pathlib.Path, box: Structure, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = ("--set", "kick.radius=3", "--set", "regions.search=3.5", "--set", "regions.refine_radius=4.5")
    assert label(dump, "--searches", 1, *narrow) == 0
    assert "Å high, less than the region in which saddles are converged" in capsys.readouterr().out
    dump.with_name("l.h5").unlink()
    small = fails(dump, capsys, "--set", "regions.search=4.5")
    assert "Å high, less than the 9 Å across which the atoms around a centre move; repeat the box" in small
    assert "Å high, no more than the radius of 9 Å within which atoms" in fails(dump, capsys, "--set", "kick.radius=9")


def test_displacements_can_be_left_out(dump: pathlib.Path) -> None:
    path = dump.with_name("l.h5")
    assert label(dump, "--searches", 3) == 0
    whole = read_labels(path)
    size = path.stat().st_size
    path.unlink()
    assert label(dump, "--searches", 3, "--no-displacements") == 0
    small = read_labels(path)
    assert path.stat().st_size < size
    for name in ("atom", "number", "barrier", "final_energy"):
        np.testing.assert_array_equal(small[name], whole[name])
    event = int(small.events()[0])
    with pytest.raises(GlassError, match="were not kept; label into another file, without"):
        small.displacements(event, "final")
    assert whole.displacements(event).any()


def test_displacements_kept_are_not_mixed(dump: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dump.with_name("l.h5")
    assert label(dump, "--searches", 1) == 0
    assert read_labels(path).header.displacements == 0.01
    error = fails(dump, capsys, "--searches", 2, "--no-displacements")
    assert "keeps those above 0.01 Å of the displacements, not none; go on with --displacements 0.01" in error
    assert "not those above 0.05 Å" in fails(dump, capsys, "--searches", 2, "--displacements", 0.05)
    assert len(read_labels(path)) == 32
    assert label(dump, "--searches", 2, "--displacements", 0.01) == 0
    path.unlink()
    assert label(dump, "--searches", 1, "--no-displacements") == 0
    error = fails(dump, capsys, "--searches", 2)
    assert "keeps none of the displacements, not those above 0.01 Å; go on with --no-displacements" in error
    assert label(dump, "--searches", 2, "--no-displacements") == 0
    assert read_labels(path).header.displacements == math.inf


def test_files_that_do_not_tell_which_displacements_they_keep_go_on(dump: pathlib.Path, box: Structure) -> None:
    path = dump.with_name("l.h5")
    assert label(dump, "--searches", 1) == 0
    with h5py.File(path, "r+") as handle:
        header = json.loads(handle.attrs["header"])
        del header["displacements"]
        handle.attrs["header"] = json.dumps(header)
    assert label(dump, "--searches", 2, "--no-displacements") == 0
    assert read_labels(path).header.displacements is None
    assert len(read_labels(path)) == 64
