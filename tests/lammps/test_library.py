"""Library mode: the same values as the core, for the configuration that is dumped, and no other effect."""

from __future__ import annotations

import gc
import os
import pathlib
import signal
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lammps_hooks.hook
from glass_core import GlassError, load_model, predict
from lammps_hooks import attach
from lammps_hooks.structure import read_structure
from tests.lammps.boxes import SPECIES, box, columns, dump, read_dump

OpenBox = Callable[..., Any]


def write_dump(path: pathlib.Path) -> str:
    return f"write_dump all custom {path} id type x y z {' '.join(columns())} modify format float %.17g"


@pytest.mark.parametrize("triclinic", [False, True])
def test_dumped_values_are_those_of_the_core(open_box: OpenBox, tmp_path: pathlib.Path, triclinic: bool) -> None:
    lmp = open_box(cells=5, triclinic=triclinic)
    attached = attach(lmp, species=SPECIES, every=5)
    assert list(attached.columns) == columns()
    lmp.commands_list([*dump(tmp_path / "run.dump", 5, columns()), "run 0", "run 12"])
    lmp.command("displace_atoms all random 0.05 0.05 0.05 9")
    lmp.commands_list(["run 0", write_dump(tmp_path / "moved.dump"), "run 8"])
    frames = read_dump(tmp_path / "run.dump") + read_dump(tmp_path / "moved.dump")
    assert [frame.step for frame in frames] == [0, 5, 10, 15, 20, 12]
    assert max(frame.deviation() for frame in frames) <= 1e-6
    first = columns()[0]
    assert not np.allclose(frames[0].columns[first], frames[-1].columns[first], atol=1e-3)


def test_end_of_a_minimisation_is_dumped_with_its_own_values(open_box: OpenBox, tmp_path: pathlib.Path) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES, every=5)
    lmp.commands_list([*dump(tmp_path / "min.dump", 5, columns()), "minimize 0 2.0 200 2000"])
    last = lmp.extract_global("ntimestep")
    frames = read_dump(tmp_path / "min.dump")
    assert last > 5
    assert last % 5 != 0, "the test needs a minimisation that ends between multiples; change its tolerance"
    assert [frame.step for frame in frames] == [*range(0, last, 5), last]
    assert max(frame.deviation() for frame in frames) <= 1e-6


ENDS = {
    "run": ["run 23"],
    "part of a run": ["run 13 start 0 stop 100"],
    "max iterations": ["minimize 0 1e-9 7 100000"],
    "max evaluations": ["minimize 0 1e-9 100000 9"],
    "fire": ["min_style fire", "minimize 0 1e-9 7 100000"],
    "hftn": ["min_style hftn", "minimize 0 1e-9 2 100000"],
    "box changed after the last forces": ["fix shear all deform 1 x erate 5.0 remap x", "run 7"],
    "halted": ["variable stop equal step>4", "fix stop all halt 5 v_stop > 0 error continue", "run 20"],
}


@pytest.mark.parametrize("end", ENDS)
def test_values_are_those_of_the_end(open_box: OpenBox, tmp_path: pathlib.Path, end: str) -> None:
    """Not multiples of ``every``, and not followed by another evaluation of the forces."""
    lmp = open_box()
    attach(lmp, species=SPECIES, every=1000000)
    lmp.commands_list([*ENDS[end], write_dump(tmp_path / "end.dump")])
    assert read_dump(tmp_path / "end.dump")[0].deviation() <= 1e-6


@pytest.mark.parametrize("end", ["run", "max iterations", "max evaluations", "fire"])
def test_values_are_those_of_the_end_within_a_file(open_box: OpenBox, tmp_path: pathlib.Path, end: str) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES, every=1000000)
    (tmp_path / "in.run").write_text("\n".join([*ENDS[end], write_dump(tmp_path / "end.dump")]) + "\n")
    lmp.file(str(tmp_path / "in.run"))
    assert read_dump(tmp_path / "end.dump")[0].deviation() <= 1e-6


def test_no_prediction_that_no_run_asked_for(open_box: OpenBox, monkeypatch: pytest.MonkeyPatch) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES, every=10)
    sizes: list[int] = []

    def counting(*arguments: Any) -> Any:
        sizes.append(arguments[1].n_atoms)
        return predict(*arguments)

    monkeypatch.setattr(lammps_hooks.hook, "predict", counting)
    lmp.commands_list(["displace_atoms all random 0.05 0.05 0.05 9", "group some id 1:30"])
    assert sizes == []
    lmp.command("run 25")
    assert sizes == [256] * 4  # steps 0, 10, 20 and 25
    lmp.commands_list(["delete_atoms group some", "print done"])
    assert len(sizes) == 4


def test_values_are_there_before_any_run(open_box: OpenBox, tmp_path: pathlib.Path) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES)
    lmp.command(write_dump(tmp_path / "now.dump"))
    assert read_dump(tmp_path / "now.dump")[0].deviation() <= 1e-6


def test_trajectory_is_the_same_to_the_last_bit(open_box: OpenBox) -> None:
    states = []
    for hooked in (False, True):
        lmp = open_box()
        if hooked:
            attach(lmp, species=SPECIES, every=3)
        lmp.commands_list(["run 10", "minimize 0 0 5 50", "unfix move"])
        lmp.commands_list(["fix move all npt temp 1000 1000 0.2 iso 0 0 2", "run 10"])
        states.append([lmp.numpy.extract_atom(name, nelem=256).copy() for name in ("id", "x", "v")])
    for plain, with_hook in zip(*states, strict=True):
        assert plain.tobytes() == with_hook.tobytes()


def test_types_of_one_species_and_chosen_outputs(open_box: OpenBox) -> None:
    lmp = open_box()
    lmp.command("set type 1 type 2")
    name = next(iter(load_model().outputs))
    attached = attach(lmp, species=("Cu", "Cu"), outputs=[name])
    assert list(attached.columns) == columns()[:1]
    written = lmp.numpy.extract_atom(columns()[0], nelem=256)
    instance = attached.hook.instance
    assert set(instance.types().tolist()) == {2}
    core = predict(load_model(), read_structure(instance, ("Cu", "Cu")))
    np.testing.assert_array_equal(written, core[name].values)


def test_rerun_predicts_each_snapshot(open_box: OpenBox, tmp_path: pathlib.Path) -> None:
    lmp = open_box()
    lmp.commands_list([*dump(tmp_path / "first.dump", 3, []), "run 9", "undump positions"])
    attach(lmp, species=SPECIES, every=1000)
    lmp.commands_list([*dump(tmp_path / "again.dump", 3, columns()), f"rerun {tmp_path / 'first.dump'} dump x y z"])
    frames = read_dump(tmp_path / "again.dump")
    assert [frame.step for frame in frames] == [0, 3, 6, 9]
    assert max(frame.deviation() for frame in frames) <= 1e-5


def failing(after: int, error: BaseException) -> Callable[..., Any]:
    """``predict`` that raises from its call number ``after`` on."""
    calls = 0

    def stand_in(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise error
        return predict(*arguments)

    return stand_in


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("error", [RuntimeError("the model broke"), KeyboardInterrupt("Ctrl-C")])
def test_exception_stops_the_run_and_is_raised(
    open_box: OpenBox, monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException
) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES, every=5)
    with monkeypatch.context() as patch:
        patch.setattr(lammps_hooks.hook, "predict", failing(after, error))
        with pytest.raises(type(error), match=str(error)):
            lmp.commands_list(["run 50", "reset_timestep 1000"])
    assert lmp.extract_global("ntimestep") == (0 if after == 0 else 10)
    lmp.command("run 2")
    assert lmp.extract_global("ntimestep") == (2 if after == 0 else 12)


def test_ctrl_c_stops_the_run(open_box: OpenBox) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES, every=10**9)
    usual = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lmp.command("run 1000000")
    timer.join()
    assert signal.getsignal(signal.SIGINT) is usual
    assert 0 < lmp.extract_global("ntimestep") < 1000000


def test_exception_comes_out_of_files_strings_and_minimisations(
    open_box: OpenBox, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    lmp = open_box()
    attach(lmp, species=SPECIES)
    (tmp_path / "in.run").write_text("run 5\n")
    monkeypatch.setattr(lammps_hooks.hook, "predict", failing(0, RuntimeError("the model broke")))
    for method, argument in (
        ("file", str(tmp_path / "in.run")),
        ("commands_string", "run 5"),
        ("commands_list", ["run &", "5"]),
        ("command", "minimize 0 0 5 50"),
    ):
        with pytest.raises(RuntimeError, match="the model broke"):
            getattr(lmp, method)(argument)
    with pytest.raises(RuntimeError, match="the model broke"):
        lmp.cmd.run(5)


def test_two_models_detach_and_clear(open_box: OpenBox) -> None:
    lmp = open_box()
    first = attach(lmp, species=SPECIES)
    with pytest.raises(GlassError, match=f"{columns()[0]}.* is written by another attachment; detach that, or give"):
        attach(lmp, species=SPECIES)
    with pytest.raises(GlassError, match="d_glass_out_of_domain is written by another"):
        attach(lmp, species=SPECIES, model="scnn")
    with pytest.raises(GlassError, match=r"name must be letters, digits and underscores, .* got 'a b'"):
        attach(lmp, species=SPECIES, model="scnn", name="a b")
    second = attach(lmp, species=SPECIES, model="scnn", name="second")
    assert second.columns == tuple(columns("scnn", "second"))
    assert lmp.available_ids("fix") == ["move", "glass_store", "glass", "glass_store_2", "glass_2"]
    assert lmp.available_ids("variable") == ["glass_progress", "glass_2_progress"]
    first.detach()
    second.detach()
    assert lmp.available_ids("fix") == ["move"]
    assert lmp.available_ids("variable") == []


def test_an_attachment_from_before_a_clear_stays_retired(open_box: OpenBox) -> None:
    lmp = open_box()
    first = attach(lmp, species=SPECIES)
    lmp.commands_list(["clear", *box()])
    second = attach(lmp, species=SPECIES)
    assert (first.active, second.active) == (False, True)
    assert lmp.glass_attachments == [second]
    first.detach()
    assert second.active
    lmp.command("run 1")
    second.detach()
    assert lmp.available_ids("fix") == ["move"]


def test_an_attachment_that_lost_a_fix_leaves_its_successor_alone(open_box: OpenBox) -> None:
    lmp = open_box()
    first = attach(lmp, species=SPECIES)
    lmp.command("unfix glass")
    assert not first.active
    first.detach()
    third = attach(lmp, species=SPECIES)
    lmp.command("run 1")
    first.detach()
    assert third.active


def test_the_instance_closes_with_its_last_name(open_box: OpenBox) -> None:
    from lammps_hooks import open_lammps

    lmp = open_lammps(["-log", "none", "-screen", "none"])
    lmp.commands_list(box())
    attached = attach(lmp, species=SPECIES)
    alive = weakref.ref(lmp)
    gc.disable()
    try:
        del lmp
        assert alive() is None
    finally:
        gc.enable()
    attached.detach()
    assert not attached.active
