"""The trajectory writer: what it writes, what it leaves alone, and what a killed run leaves."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ase")
from ase import Atoms, units
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read
from ase.md.verlet import VelocityVerlet

from ase_glass import ExtxyzWriter, GlassCalculator, annotate
from ase_glass import observer as module
from glass_core import GlassError
from tests.ase.versions import ase_before


@pytest.fixture
def moving(copper):
    copper.set_momenta(np.random.default_rng(1).normal(0, 1.8, (len(copper), 3)))
    copper.calc = GlassCalculator(base=EMT())
    return copper


def _run(atoms, writer, steps=20, interval=5):
    dyn = VelocityVerlet(atoms, 2 * units.fs)
    dyn.attach(writer, interval=interval)
    dyn.run(steps)


def test_frames_of_a_run(moving, calls, tmp_path):
    energies, forces = [], []
    writer = ExtxyzWriter(tmp_path / "run.xyz", moving)
    dyn = VelocityVerlet(moving, 2 * units.fs)
    dyn.attach(writer, interval=5)
    dyn.attach(lambda: energies.append(moving.get_potential_energy()), interval=5)
    dyn.attach(lambda: forces.append(moving.get_forces()), interval=5)
    dyn.run(20)
    assert len(calls) == 5
    frames = read(tmp_path / "run.xyz", ":")
    assert len(frames) == 5
    np.testing.assert_allclose([frame.get_potential_energy() for frame in frames], energies)
    np.testing.assert_allclose([frame.get_forces() for frame in frames], forces, atol=1e-8)
    np.testing.assert_allclose(frames[-1].get_momenta(), moving.get_momenta(), atol=1e-8)
    np.testing.assert_allclose(frames[-1].get_stress(), moving.get_stress(), atol=1e-8)
    for frame in frames:
        # positions are written with 8 decimals
        expected = GlassCalculator().predictions(frame)
        for name, values in expected.items():
            np.testing.assert_allclose(frame.arrays[name], values, atol=1e-4)
        assert frame.info["glass_model"] == "barrier"
        assert len(frame.info["glass_model_sha256"]) == 64


def test_running_atoms_are_not_changed(moving, tmp_path):
    arrays, info = {name: array.copy() for name, array in moving.arrays.items()}, dict(moving.info)
    ExtxyzWriter(tmp_path / "run.xyz", moving)()
    assert set(moving.arrays) == set(arrays)
    assert moving.info == info
    for name, array in arrays.items():
        np.testing.assert_array_equal(moving.arrays[name], array)


def test_model_of_its_own_beside_the_calculator(moving, calls, tmp_path):
    other = ExtxyzWriter(tmp_path / "other.xyz", moving, model="scnn")
    same = ExtxyzWriter(tmp_path / "same.xyz", moving, model="barrier")
    moving.calc.predictions(moving)
    other()
    same()
    assert len(calls) == 2
    assert "glass_logit" in read(tmp_path / "other.xyz").arrays
    assert "glass_barrier" in read(tmp_path / "same.xyz").arrays


def test_plain_calculator_or_none(copper, tmp_path):
    writer = ExtxyzWriter(tmp_path / "a.xyz", copper, model="barrier")
    writer()
    copper.calc = EMT()
    copper.get_potential_energy()
    writer()
    copper.positions += 0.01 * np.arange(3)  # the energy known is now that of other positions
    writer()
    frames = read(tmp_path / "a.xyz", ":")
    assert [frame.calc is not None for frame in frames] == [False, True, False]
    assert all("glass_barrier" in frame.arrays for frame in frames)


def test_overwrite_and_append(moving, tmp_path):
    path = tmp_path / "run.xyz"
    _run(moving, ExtxyzWriter(path, moving), steps=2, interval=1)
    _run(moving, ExtxyzWriter(path, moving, mode="a"), steps=1, interval=1)
    assert len(read(path, ":")) == 5
    writer = ExtxyzWriter(path, moving)
    assert len(read(path, ":")) == 5  # a run that fails before its first frame costs nothing
    writer.write()
    assert len(read(path, ":")) == 1
    with pytest.raises(GlassError, match="mode must be"):
        ExtxyzWriter(path, moving, mode="r")


def test_file_is_whole_after_every_frame(moving, tmp_path):
    path, counts = tmp_path / "run.xyz", []
    writer = ExtxyzWriter(path, moving)

    def count():
        writer()
        counts.append(len(read(path, ":")))

    _run(moving, count, steps=3, interval=1)
    assert counts == [1, 2, 3, 4]


@pytest.mark.parametrize("cut", [1, 30, 3000, 9000])
def test_frame_cut_by_a_killed_run_is_removed_on_append(moving, tmp_path, cut):
    path = tmp_path / "run.xyz"
    _run(moving, ExtxyzWriter(path, moving), steps=2, interval=1)
    first_two = b"".join(_frames(path)[:2])
    path.write_bytes(path.read_bytes()[:-cut])
    assert path.stat().st_size > len(first_two)
    writer = ExtxyzWriter(path, moving, mode="a")
    assert path.read_bytes() == first_two
    writer()
    assert len(read(path, ":")) == 3


def _frames(path):
    text = path.read_bytes().splitlines(keepends=True)
    length = int(text[0]) + 2
    return [b"".join(text[k : k + length]) for k in range(0, len(text), length)]


@pytest.mark.parametrize("content", ["notes of mine\n", "notes", "2\nplain xyz\nCu 0 0 0\nCu 1 1 1\n"])
def test_foreign_file_is_not_touched_by_append(copper, tmp_path, content):
    path = tmp_path / "notes.xyz"
    path.write_text(content)
    with pytest.raises(GlassError, match="not an extended XYZ file"):
        ExtxyzWriter(path, copper, mode="a")
    assert path.read_text() == content


def test_a_folder_is_no_file_to_continue(copper, tmp_path):
    with pytest.raises(GlassError, match=r"cannot append to .*: Is a directory; choose another file"):
        ExtxyzWriter(tmp_path, copper, mode="a")


def test_failed_write_leaves_the_frames_before(moving, tmp_path, monkeypatch):
    path = tmp_path / "run.xyz"
    writer = ExtxyzWriter(path, moving)
    writer()
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fstat", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(GlassError, match="No space left"):
            writer()
    assert path.read_bytes() == before
    with pytest.raises(GlassError, match="cannot write"):
        ExtxyzWriter(tmp_path / "missing" / "run.xyz", moving)()


def test_interrupted_write_is_taken_back(moving, tmp_path, monkeypatch):
    path = tmp_path / "run.xyz"
    path.write_bytes(b"whole\n")

    class Interrupted(bytes):
        def __getitem__(self, key):
            if key.start:
                raise KeyboardInterrupt
            return bytes(self)[: len(self) // 2]

    with pytest.raises(KeyboardInterrupt):
        module._append(path, Interrupted(b"half a frame"))
    assert path.read_bytes() == b"whole\n"


def test_info_and_arrays_named_as_results(moving, tmp_path):
    moving.info.update(energy=1.0, note="mine")
    moving.get_potential_energy()
    ExtxyzWriter(tmp_path / "a.xyz", moving)()
    frame = read(tmp_path / "a.xyz")
    assert frame.get_potential_energy() == pytest.approx(moving.get_potential_energy())
    assert frame.info["note"] == "mine"
    assert moving.info["energy"] == 1.0


def test_stale_annotation_is_replaced(moving, tmp_path):
    annotate(moving, "scnn")
    ExtxyzWriter(tmp_path / "a.xyz", moving)()
    frame = read(tmp_path / "a.xyz")
    assert "glass_logit" not in frame.arrays
    assert "glass_barrier" in frame.arrays
    assert "glass_logit" in moving.arrays


@pytest.mark.skipif(ase_before(3, 26), reason="ASE before 3.26 writes constraints only where all are alike")
def test_constraints(moving, tmp_path):
    moving.set_constraint([FixAtoms([0, 1]), FixBondLength(3, 4)])
    ExtxyzWriter(tmp_path / "a.xyz", moving)()
    assert read(tmp_path / "a.xyz").constraints[0].index.tolist() == [0, 1]


def test_changing_number_of_atoms(copper, tmp_path):
    writer = ExtxyzWriter(tmp_path / "a.xyz", copper)
    writer()
    copper.pop()
    writer()
    copper += Atoms("Zr", positions=[[0.9, 0.9, 0.9]])
    writer()
    assert [len(frame) for frame in read(tmp_path / "a.xyz", ":")] == [108, 107, 108]


def test_ovito_reads_all_frames(moving, tmp_path):
    io = pytest.importorskip("ovito.io")
    path = tmp_path / "run.xyz"
    _run(moving, ExtxyzWriter(path, moving), steps=4, interval=2)
    pipeline = io.import_file(str(path))
    assert pipeline.num_frames == 3
    data = pipeline.compute(2)
    np.testing.assert_allclose(data.particles.positions, moving.positions, atol=1e-8)
    expected = read(path, 2).arrays["glass_barrier"]
    np.testing.assert_allclose(data.particles["glass_barrier"], expected)
    assert data.attributes["glass_model"] == "barrier"
