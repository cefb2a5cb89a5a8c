"""Input scripts of an ``lmp`` binary with Python inside: values, step 0, failures, several ranks."""

from __future__ import annotations

import pathlib
import re
import shutil
import time

import numpy as np
import pytest

from glass_core.model_file import SHIPPED
from lammps_hooks.include import include_text
from tests.lammps.boxes import SPECIES, box, columns, dump, read_dump
from tests.lammps.conftest import Run

BREAK = '''python broken here """
import lammps_hooks.hook
original, calls = lammps_hooks.hook.predict, []
def broken(*arguments):
    calls.append(1)
    if len(calls) > AFTER:
        raise RuntimeError('the model broke')
    return original(*arguments)
lammps_hooks.hook.predict = broken
"""'''


@pytest.fixture
def include(tmp_path: pathlib.Path) -> str:
    """The line for the input script; predictions every 5 steps."""
    (tmp_path / "glass.lmp").write_text(include_text(SPECIES, every=5))
    return "include glass.lmp"


@pytest.mark.parametrize("triclinic", [False, True])
def test_dumped_values_are_those_of_the_core(lmp: Run, include: str, tmp_path: pathlib.Path, triclinic: bool) -> None:
    path = tmp_path / "run.dump"
    moves = ["run 0", "run 12", "displace_atoms all random 0.05 0.05 0.05 9", "run 3", "minimize 0 2.0 200 2000"]
    result = lmp([*box(triclinic=triclinic), include, *dump(path, 5, columns()), *moves])
    assert result.returncode == 0, result.stdout + result.stderr
    frames = read_dump(path)
    assert [frame.step for frame in frames[:4]] == [0, 5, 10, 15]
    assert frames[-1].step > 15
    assert max(frame.deviation() for frame in frames) <= 1e-6
    first = columns()[0]
    assert not np.allclose(frames[0].columns[first], frames[-1].columns[first], atol=1e-3)


@pytest.mark.parametrize("end", [["run 7"], ["minimize 0 1e-9 7 100000"], ["minimize 0 1e-9 100000 9"]])
def test_values_are_those_of_the_end(lmp: Run, include: str, tmp_path: pathlib.Path, end: list[str]) -> None:
    names = " ".join(columns())
    written = f"write_dump all custom end.dump id type x y z {names} modify format float %.17g"
    result = lmp([*box(), include, *end, written])
    assert result.returncode == 0, result.stdout + result.stderr
    assert read_dump(tmp_path / "end.dump")[0].deviation() <= 1e-6


def test_values_belong_to_the_deformed_box(lmp: Run, include: str, tmp_path: pathlib.Path) -> None:
    deform = "fix shear all deform 1 x erate 5.0 remap x"
    result = lmp([*box(), deform, include, *dump(tmp_path / "run.dump", 5, columns()), "run 10"])
    assert result.returncode == 0, result.stdout + result.stderr
    frames = read_dump(tmp_path / "run.dump")
    assert frames[2].structure.cell_cc[0, 0] > frames[0].structure.cell_cc[0, 0] + 0.1
    assert max(frame.deviation() for frame in frames) <= 1e-6


def test_without_fix_external_step_0_and_multiples_are_right(lmp: Run, tmp_path: pathlib.Path) -> None:
    text = include_text(SPECIES, every=5).replace(
        "glass_hook = ", "import lammps_hooks.instance as i\ni.Instance.has_fix_style = lambda *a: False\nglass_hook = "
    )
    (tmp_path / "glass.lmp").write_text(text)
    result = lmp([*box(), "include glass.lmp", *dump(tmp_path / "run.dump", 5, columns()), "run 10"])
    assert result.returncode == 0, result.stdout + result.stderr
    frames = read_dump(tmp_path / "run.dump")
    assert [frame.step for frame in frames] == [0, 5, 10]
    # The setup of the run sorts the atoms after the prediction for step 0: float32 sums in another order.
    assert frames[0].deviation() <= 1e-5
    assert max(frame.deviation() for frame in frames[1:]) <= 1e-6


def test_trajectory_is_the_same_to_the_last_bit(lmp: Run, include: str, tmp_path: pathlib.Path) -> None:
    moves = ["run 10", "minimize 0 0 5 50", "run 10"]
    assert lmp([*box(), include, *dump(tmp_path / "with.dump", 5, []), *moves]).returncode == 0
    assert lmp([*box(), *dump(tmp_path / "without.dump", 5, []), *moves]).returncode == 0
    assert (tmp_path / "with.dump").read_bytes() == (tmp_path / "without.dump").read_bytes()


@pytest.mark.parametrize(("first", "second"), [("barrier", "scnn"), ("symgnn", "barrier")])
def test_two_models(lmp: Run, tmp_path: pathlib.Path, first: str, second: str) -> None:
    """Each writes all of its outputs, also those that both have, under its own name."""
    for model in (first, second):
        (tmp_path / f"{model}.lmp").write_text(include_text(SPECIES, model=model, every=5, name=model))
    path = tmp_path / "run.dump"
    both = [*columns(first, first), *columns(second, second)]
    result = lmp([*box(), f"include {first}.lmp", f"include {second}.lmp", *dump(path, 5, both), "run 5"])
    assert result.returncode == 0, result.stdout + result.stderr
    for frame in read_dump(path):
        for model in (first, second):
            assert frame.deviation(model, model) <= 1e-5


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("include glass.lmp", "fix glass_store exists already, of another include .* another --name"),
        ("fix glass_store all store/state 0 x", "fix glass_store exists already"),
        ("fix mine all property/atom d_glass_logit", "has added d_glass_logit already; make this one with another"),
    ],
)
def test_what_another_has_made_is_not_replaced(
    lmp: Run, include: str, tmp_path: pathlib.Path, before: str, message: str
) -> None:
    (tmp_path / "second.lmp").write_text(include_text(SPECIES, model="scnn", outputs=["logit", "out_of_domain"]))
    result = lmp([*box(), before, "include second.lmp", "run 0"])
    assert result.returncode != 0
    assert re.search(message, result.stderr)


def test_the_same_include_twice(lmp: Run, include: str, tmp_path: pathlib.Path) -> None:
    result = lmp([*box(), include, include, *dump(tmp_path / "run.dump", 5, columns()), "run 5"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert max(frame.deviation() for frame in read_dump(tmp_path / "run.dump")) <= 1e-6


@pytest.mark.parametrize("name", ["mod é l.safetensors", "m#$x{y}&'\".safetensors", 'a"""b.safetensors'])
def test_paths_with_any_characters(lmp: Run, tmp_path: pathlib.Path, name: str) -> None:
    shutil.copy(SHIPPED / "barrier.safetensors", tmp_path / name)
    text = include_text(SPECIES, model=str(tmp_path / name), every=5)
    assert text.isascii()
    (tmp_path / "glass.lmp").write_text(text)
    result = lmp([*box(), "include glass.lmp", *dump(tmp_path / "run.dump", 5, columns()), "run 0"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert read_dump(tmp_path / "run.dump")[0].deviation() <= 1e-6


def test_species_with_any_characters_reach_the_hook(lmp: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "glass.lmp").write_text(include_text(('Cu"""', "Zr'\\é")))
    result = lmp([*box(), "include glass.lmp", "run 0"])
    assert result.returncode != 0
    assert 'species \'Cu"""\' (' in result.stderr


@pytest.mark.parametrize(("after", "steps"), [(0, [0]), (1, [0, 5])])
def test_exception_ends_lmp_with_its_message(
    lmp: Run, include: str, tmp_path: pathlib.Path, after: int, steps: list[int]
) -> None:
    path = tmp_path / "run.dump"
    end = ["print 'never here'"]
    result = lmp([*box(), include, BREAK.replace("AFTER", str(after)), *dump(path, 5, columns()), "run 50", *end])
    assert result.returncode == 1
    assert "ERROR: glass: RuntimeError: the model broke" in result.stderr
    assert "Traceback" in result.stderr
    assert "never here" not in result.stdout
    assert "Neighbor list info" in (tmp_path / "log.lammps").read_text()
    assert len(read_dump(path)) == len(steps) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("('Cu', 'Zr')", "('Cu',)"), "LAMMPS has 2 atom types, species has 1 names"),
        (("('Cu', 'Zr')", "('Cu', 'Al')"), "species 'Al'"),
        (("model='barrier'", "model='/nowhere/x.safetensors'"), "model file /nowhere/x.safetensors does not exist"),
        (("sys.version_info[:2] != ", "(3, 5) != "), "this include file is for Python"),
    ],
)
def test_wrong_settings_end_lmp(lmp: Run, tmp_path: pathlib.Path, change: tuple[str, str], message: str) -> None:
    (tmp_path / "glass.lmp").write_text(include_text(SPECIES).replace(*change))
    result = lmp([*box(), "include glass.lmp", "run 1"])
    assert result.returncode != 0
    assert message in result.stdout + result.stderr
    assert "Loop time" not in result.stdout


def test_an_include_too_early_says_where_to_place_it(lmp: Run, include: str) -> None:
    result = lmp(["units metal", "region box block 0 9 0 9 0 9", "create_box 2 box", include])
    assert result.returncode != 0
    assert "LAMMPS has no atoms yet; place the hook after create_atoms or read_data" in result.stderr


def test_several_ranks_are_refused(lmp: Run, include: str) -> None:
    if shutil.which("mpirun", path="/usr/bin") is None:
        pytest.skip("no mpirun in /usr/bin")
    started = time.monotonic()
    result = lmp([*box(), include, "run 50"], "/usr/bin/mpirun", "--oversubscribe", "-np", "2")
    assert result.returncode != 0
    assert "predictions inside LAMMPS work on 1 MPI rank, this run has 2" in result.stderr
    assert "Loop time" not in result.stdout
    assert time.monotonic() - started < 60
