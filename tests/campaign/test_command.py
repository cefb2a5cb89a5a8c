"""``glass label`` as users type it, on searches that need no potential."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import time
from collections.abc import Callable

import numpy as np
import pytest

from glass_core import potentials
from glass_core.campaign import request
from glass_core.campaign.label_file import read_labels
from glass_core.campaign.run import Progress
from glass_core.cli import label as command
from glass_core.cli.main import main
from glass_core.file_formats import write_dump
from glass_core.frame import Frame
from glass_core.saddle.records import SearchRecord
from glass_core.structure import Structure
from tests.campaign.conftest import labels_of, same
from tests.campaign.fakes import FakeFromPotential, fake_potential


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(potentials, "potential_of", fake_potential, raising=False)
    monkeypatch.setattr(request, "Searcher", FakeFromPotential)


@pytest.fixture
def dump(tmp_path: pathlib.Path, box: Structure) -> pathlib.Path:
    path = tmp_path / "glass.dump"
    write_dump(path, Frame(box, np.arange(101, 133)), {}, {})
    return path


def label(dump: pathlib.Path, *more: object) -> int:
    out = dump.with_name("l.h5")
    arguments = ["label", dump, "-p", "well", "-o", out, "--workers", 1, *more]
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
    assert "gives no barrier_std" in fails(dump, capsys, "--prior", "symgnn")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--searches", 0), "searches must be at least 1, got 0"),
        (("--workers", 0), "workers must be at least 1, got 0"),
        (("--seed", -1), "seed must not be negative"),
        (("--target-error", 0), "target error must be > 0 eV"),
        (("--atoms", "0:99"), "must lie in 0:32"),
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


def test_the_bar_shows_rate_and_acceptance(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("tqdm.std.disp_len", len, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with command._bar(False) as tell:
        for done in range(10, 31):
            time.sleep(0.02)
            tell(Progress(done, 40, done, done // 2, 2))
    shown = capsys.readouterr().err
    assert "50 % accepted, 2 workers" in shown
    assert "/40" in shown
    assert "searches/s" in shown
