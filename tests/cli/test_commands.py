"""Commands as a user types them: results, JSON, and one-line errors with status 2."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from glass_core.campaign.label_file import read_labels
from glass_core.cli.demo import GLASS, LABELS
from glass_core.cli.main import main
from glass_core.dataset import write_dataset
from glass_core.frame import Frame
from glass_core.structure import Structure
from glass_core.structure_files import read_frame
from tests.training.conftest import dataset

__all__ = ["dataset"]


@pytest.fixture
def dump(tmp_path: pathlib.Path, glass: Structure) -> pathlib.Path:
    from glass_core.file_formats import write_dump

    path = tmp_path / "glass.dump"
    write_dump(path, Frame(glass, np.arange(1, glass.n_atoms + 1)), {}, {})
    return path


def numeric(dump: pathlib.Path) -> pathlib.Path:
    """The same without element names."""
    lines = dump.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    head = [*lines[:start], "ITEM: ATOMS id type x y z"]
    rows = [" ".join(w for c, w in enumerate(line.split()) if c != 2) for line in lines[start + 1 :]]
    path = dump.with_name("numeric.dump")
    path.write_text("\n".join([*head, *rows]) + "\n")
    return path


def fails(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> str:
    """The one-line error of a command that must fail."""
    assert main([str(a) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("glass: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("ending", [".extxyz", ".dump", ".h5"])
def test_predict_writes_every_format(dump: pathlib.Path, tmp_path: pathlib.Path, ending: str, capsys) -> None:
    out = tmp_path / f"out{ending}"
    assert main(["predict", str(dump), "-o", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["atoms"] == 256
    assert summary["outputs"]["barrier"]["unit"] == "eV"
    assert b"glass_barrier" in out.read_bytes()


def test_readers_agree(dump: pathlib.Path, capsys) -> None:
    results = []
    for reader in ("ase", "ovito"):
        pytest.importorskip(reader)
        assert main(["predict", str(dump), "--reader", reader, "--json"]) == 0
        results.append(json.loads(capsys.readouterr().out)["outputs"]["barrier"]["mean"])
    assert results[0] == pytest.approx(results[1], abs=1e-6)


def test_numeric_types_need_a_map(dump: pathlib.Path, capsys) -> None:
    path = numeric(dump)
    assert "--species 1=Cu" in fails(["predict", path], capsys)
    assert main(["predict", str(path), "-s", "1=Cu,2=Zr"]) == 0
    assert "256 atoms" in capsys.readouterr().out


def test_mistakes_are_one_line(dump: pathlib.Path, tmp_path: pathlib.Path, capsys) -> None:
    assert "does not exist" in fails(["predict", tmp_path / "none.dump"], capsys)
    assert "Did you mean 'barrier'" in fails(["predict", dump, "-m", "barier"], capsys)
    assert "unknown file ending '.xzy'" in fails(["predict", dump, "-o", tmp_path / "a.xzy"], capsys)
    assert "does not exist" in fails(["predict", dump, "-o", tmp_path / "no" / "a.h5"], capsys)
    assert "unknown reader 'ovitoo'" in fails(["predict", dump, "--reader", "ovitoo"], capsys)
    assert "1=Cu,2=Zr" in fails(["predict", dump, "-s", "Cu;Zr"], capsys)
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(b"\x00" * 40)
    assert "not a readable safetensors" in fails(["predict", dump, "-m", foreign], capsys)
    assert "species 'Fe'" in fails(["predict", numeric(dump), "-s", "1=Fe,2=Zr"], capsys)
    text = dump.read_text().splitlines()
    text[20] = text[20].rsplit(" ", 1)[0] + " nan"
    dump.write_text("\n".join(text) + "\n")
    assert "not finite" in fails(["predict", dump], capsys)


def test_an_input_is_not_overwritten(dump: pathlib.Path, capsys) -> None:
    before = dump.read_bytes()
    assert f"it is the input {dump}" in fails(["predict", dump, "-o", dump], capsys)
    assert dump.read_bytes() == before


def test_searches_are_not_overwritten(dump: pathlib.Path, tmp_path: pathlib.Path, capsys) -> None:
    """A campaign takes hours; an output that slips onto its file must not end it."""
    labels = shutil.copy(LABELS, tmp_path / "labels.h5")
    before = labels.read_bytes()
    for command in (["import", LABELS, "-o", labels], ["predict", dump, "-o", labels]):
        assert "holds the searches of `glass label`; give the output another name" in fails(command, capsys)
    assert labels.read_bytes() == before
    labels.write_bytes(before[:1000])
    assert "or give the output another name: " in fails(["import", LABELS, "-o", labels], capsys)
    assert labels.read_bytes() == before[:1000]


def test_a_report_on_other_data_is_refused_before_anything_is_trained(tmp_path: pathlib.Path, dataset, capsys) -> None:
    write_dataset(dataset, tmp_path / "d.h5")
    message = fails(["report", "-d", tmp_path / "d.h5", "-o", tmp_path / "r", "--runs", tmp_path / "runs"], capsys)
    assert "the constraints of model 'scnn' are labelled atoms of" in message
    assert not (tmp_path / "runs").exists()


def test_what_is_no_file_is_called_what_it_is(dump: pathlib.Path, capsys) -> None:
    assert "is a folder; give a file" in fails(["predict", dump.parent], capsys)
    assert "glass.dump is not a folder" in fails(["predict", dump, "-o", dump / "x.extxyz"], capsys)
    assert "File name too long" in fails(["predict", "n" * 300], capsys)
    assert "File name too long" in fails(["predict", dump, "-o", f"{'n' * 300}.dump"], capsys)
    assert "Did you mean 'barrier'" in fails(["models", "barrrier"], capsys)
    assert "model file nope does not exist" in fails(["models", "./nope"], capsys)


def test_a_reason_is_given_once(dump: pathlib.Path, capsys) -> None:
    text = dump.read_text().splitlines()
    text[20] = text[20].rsplit(" ", 1)[0] + " nan"
    dump.write_text("\n".join(text) + "\n")
    assert fails(["predict", dump], capsys).count("not finite") == 1


def test_readers_with_different_reasons_are_named(tmp_path: pathlib.Path, capsys) -> None:
    pytest.importorskip("ovito")
    path = tmp_path / "empty.dump"
    path.write_text("")
    message = fails(["predict", path], capsys)
    assert "(ovito)" in message
    assert "(ase)" in message
    assert message.count("cannot read") == 1


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_printed_is_an_error() -> None:
    command = [sys.executable, "-m", "glass_core.cli.main", "models"]
    with pathlib.Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "glass: error: standard output: No space left on device\n"


def test_a_terminal_without_unicode_gets_ascii() -> None:
    command = [sys.executable, "-m", "glass_core.cli.main", "models"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert b"reach ?" in done.stdout


def test_an_unwritable_place_is_an_error(dump: pathlib.Path, capsys) -> None:
    assert "cannot write" in fails(["predict", dump, "-o", "/proc/out.h5"], capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
@pytest.mark.parametrize("ending", [".extxyz", ".dump", ".h5"])
def test_a_full_disk_leaves_the_old_file(dump: pathlib.Path, tmp_path: pathlib.Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    out.write_text("precious")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from glass_core.model_file import load_model; load_model('barrier');"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"from glass_core.cli.main import main; sys.exit(main(['predict', {str(dump)!r}, '-o', {str(out)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "NUMBA_DISABLE_JIT": "0"},
    )
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert out.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith((".", "out"))) == [out.name]


def test_models_and_cards(capsys) -> None:
    assert main(["models", "--json"]) == 0
    shipped = json.loads(capsys.readouterr().out)["shipped"]
    assert set(shipped) == {"barrier", "barrier_cuzr", "linear", "scnn", "symgnn"}
    for card in shipped.values():
        assert {"species", "cutoff", "receptive_field", "outputs", "training", "scores", "versions"} <= set(card)
        assert card["training"]["command"].startswith("glass train")
    assert shipped["scnn"]["outputs"].keys() >= {
        "high_barrier_probability",
        "logit",
        "cluster",
        "similarity_0",
        "similarity_3",
    }
    assert shipped["barrier"]["outputs"].keys() == {"barrier", "barrier_std", "out_of_domain"}
    assert main(["models"]) == 0
    assert "AUC" in capsys.readouterr().out
    assert "does not exist" in fails(["models", "/none.safetensors"], capsys)


def test_demo(tmp_path: pathlib.Path, capsys) -> None:
    pytest.importorskip("matplotlib")
    assert main(["demo", "-o", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "softest atoms" in out
    assert "which the model has not seen" in out
    assert (tmp_path / "glass_demo.png").stat().st_size > 20_000
    atoms = pytest.importorskip("ase.io").read(tmp_path / "glass_demo.extxyz")
    assert atoms.arrays["glass_barrier"].std() > 0.05


def test_demo_compares_with_searches_of_the_same_glass(tmp_path: pathlib.Path, capsys) -> None:
    frame, labels = read_frame(GLASS), read_labels(LABELS)
    np.testing.assert_allclose(frame.structure.positions_nc, labels.structure.positions_nc, atol=1e-5)
    assert main(["demo", "--no-picture", "--json", "-o", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)["labels"]
    assert not found["trained_on"]
    assert found["searches"] == len(labels)
    assert 0.5 < found["pearson"] < found["pearson_ceiling"] < 1
    assert abs(found["predicted_mean"] - found["label_mean"]) < 0.25


def test_doctor(capsys) -> None:
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kernels"] == "work"
    assert facts["plugins refused"] == "none"


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; from glass_core.cli.main import parser; parser(); "
        "print([m for m in ('torch','numba','ase','ovito','h5py','scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def swapped(dump: pathlib.Path) -> pathlib.Path:
    """As extended XYZ, Zr atoms first: OVITO then numbers Zr 1 and Cu 2."""
    lines = dump.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    words = [line.split() for line in lines[start + 1 :]]
    rows = [" ".join(w[2:6]) for symbol in ("Zr", "Cu") for w in words if w[2] == symbol]
    path = dump.with_name("named.extxyz")
    path.write_text("\n".join([str(len(rows)), 'Properties=species:S:1:pos:R:3 pbc="F F F"', *rows]) + "\n")
    return path


def species_counts(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, int]:
    assert main(["predict", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["species"]


def test_numbers_in_a_species_map_never_rename_named_species(dump: pathlib.Path, capsys) -> None:
    pytest.importorskip("ovito")
    path = swapped(dump)
    expected = species_counts(capsys, path)
    assert expected == species_counts(capsys, dump)
    assert species_counts(capsys, path, "-s", "1=Cu,2=Zr") == expected
    refusal = fails(["predict", path, "-s", "1=Cu,2=Zr", "--reader", "ovito"], capsys)
    assert "is Zr by its name 'Zr' and Cu by its number" in refusal
    assert "is Cu by its name 'Cu' and Zr by its number" in fails(["predict", dump, "-s", "1=Zr,2=Cu"], capsys)
    assert species_counts(capsys, path, "-s", "Cu=Zr,Zr=Cu") == {"Cu": expected["Zr"], "Zr": expected["Cu"]}


def test_a_species_map_with_mistakes(dump: pathlib.Path, capsys) -> None:
    path = numeric(dump)
    assert "gives type 1 twice, as Cu and Zr" in fails(["predict", path, "-s", "1=Cu,1=Zr,2=Zr"], capsys)
    assert "entry '1=Cu 2=Zr' must read" in fails(["predict", path, "-s", "1=Cu 2=Zr"], capsys)
    assert main(["predict", str(path), "-s", "1=Cu; 2=Zr"]) == 0


def test_the_advice_for_a_negative_type_is_accepted(dump: pathlib.Path, capsys) -> None:
    path = numeric(dump)
    path.write_text(re.sub(r"(?m)^(\d+) 1 ", r"\1 -1 ", path.read_text()))
    advice = re.search(r"--species=\S+", fails(["predict", path, "-s", "2=Zr"], capsys))
    assert advice is not None
    assert main(["predict", str(path), f"{advice[0]},2=Zr"]) == 0


def test_output_onto_a_link_replaces_what_it_points_to(dump: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real/out.dump", tmp_path / "link.dump"
    target.write_text("old")
    link.symlink_to(target)
    assert main(["predict", str(dump), "-o", str(link)]) == 0
    assert link.is_symlink()
    assert "glass_barrier" in target.read_text()


def test_compare_prints_one_row_for_each_method_and_reuses_the_folds_of_train(
    tmp_path: pathlib.Path, dataset: object, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch_geometric")
    data, runs, model = tmp_path / "data.h5", tmp_path / "runs", tmp_path / "m.safetensors"
    write_dataset(dataset, data)
    flag = "{kind: power_spectrum, cutoff: 3.5, n_max: 2, l_max: 1, shells: 0}"
    graph, ridge = tmp_path / "graph.yaml", tmp_path / "ridge.yaml"
    graph.write_text(
        f"model: graph\ndescriptor: {flag}\nseeds: [0, 1]\npublished: [0.5, null]\n"
        "settings: {network: gcn, epochs: 2, architecture: {width: 4, layers: 1, cutoff: 3.5}}\n"
    )
    ridge.write_text(f"model: ridge\ndescriptor: {flag}\nseeds: [0]\n")
    assert main(["train", str(graph), "-d", str(data), "-o", str(model), "--runs", str(runs), "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    before = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    command = ["compare", str(graph), str(ridge), "-d", str(data), "--runs", str(runs)]
    assert main([*command, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared[str(graph)]["pooled"] == trained["pooled"]
    assert compared[str(graph)]["measured"] == trained["measured"]
    assert compared[str(ridge)]["measured"]["invariance_error"] < 1e-6
    assert main(["compare", "linear", str(ridge), "-d", str(data), "--runs", str(runs)]) == 2  # without energies
    told = capsys.readouterr()
    assert str(ridge) in told.out
    assert told.err.splitlines()[-1].startswith("glass: error: linear: springs are fitted to energies of atoms")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == [str(graph), str(ridge)]
    assert " ± " in lines[1]
    assert lines[1].endswith("0.500 / -")
    assert "no device 'cuda:9' on this machine" in fails([*command, "--device", "cuda:9"], capsys)
