from __future__ import annotations

import numpy as np
import pytest

from glass_core import GlassError
from glass_core.file_formats import write_dump
from glass_core.registry import find
from glass_core.structure import Structure
from ovito_glass.reader import read_frame
from tests.ovito.conftest import xyz_text


def test_reader_is_registered():
    assert find("reader", "ovito") is read_frame


def test_dump(dump_file, structure):
    frame = read_frame(dump_file, {}, 0)
    np.testing.assert_allclose(frame.structure.positions_nc, structure.positions_nc, atol=1e-6)
    np.testing.assert_allclose(frame.structure.cell_cc, structure.cell_cc)
    assert frame.structure.pbc == structure.pbc
    assert (frame.structure.symbols() == structure.symbols()).all()
    assert (frame.ids_n == np.random.default_rng(1).permutation(structure.n_atoms) + 1).all()
    assert frame.info == {"timestep": 40, "origin": [-1.0, 2.0, 3.0]}


def test_file_without_ids(xyz_file, structure):
    frame = read_frame(str(xyz_file), {})
    assert frame.ids_n.tolist() == list(range(1, structure.n_atoms + 1))
    assert frame.info == {"origin": [0.0, 0.0, 0.0]}


def test_cluster_without_a_box(tmp_path):
    path = tmp_path / "cluster.xyz"
    path.write_text("2\n\nCu 0 0 0\nZr 2.5 0 0\n")
    frame = read_frame(path, {})
    assert frame.structure.pbc == (False, False, False)
    assert "origin" not in frame.info


def test_frames_count_from_both_ends(numeric_dump, structure):
    moved = Structure(structure.positions_nc + 0.5, structure.types_n, structure.species, structure.cell_cc, True)
    path = numeric_dump(structure, moved)
    species = {"1": "Cu", "2": "Zr"}
    steps = {index: read_frame(path, species, index).info["timestep"] for index in (0, 1, -1, -2)}
    assert steps == {0: 0, 1: 1, -1: 1, -2: 0}
    np.testing.assert_allclose(read_frame(path, species, -1).structure.positions_nc, moved.positions_nc, atol=1e-6)
    with pytest.raises(GlassError, match=r"frame 2 of .* does not exist; it has 2"):
        read_frame(path, species, 2)


def test_species_map(numeric_dump, structure):
    path = numeric_dump(structure)
    assert (read_frame(path, {"1": "Cu", "2": "Zr"}).structure.symbols() == structure.symbols()).all()
    with pytest.raises(GlassError, match=r"type 1 in .*numeric.dump has no species"):
        read_frame(path, {})


def test_names_of_a_file_can_be_mapped_and_numbers_must_agree(dump_file, structure):
    expected = np.where(structure.symbols() == "Cu", "Ni", "Ti")
    assert (read_frame(dump_file, {"Cu": "Ni", "Zr": "Ti"}).structure.symbols() == expected).all()
    agreed = read_frame(dump_file, {"1": "Cu", "2": "Zr"})
    assert (agreed.structure.symbols() == structure.symbols()).all()
    with pytest.raises(GlassError, match=r"type 1 in .*alloy\.dump is Cu by its name 'Cu' and Ni by its number"):
        read_frame(dump_file, {"1": "Ni", "2": "Ti"})


def test_numbers_of_ovito_rename_nothing(tmp_path, structure):
    """Zr first: OVITO numbers named types as they come."""
    order = np.argsort(structure.symbols())[::-1]
    path = tmp_path / "zr_first.extxyz"
    path.write_text(xyz_text(structure.subset(order)))
    assert (read_frame(path, {}).structure.symbols() == structure.symbols()[order]).all()
    with pytest.raises(GlassError, match=r"type 1 in .* is Zr by its name 'Zr' and Cu by its number"):
        read_frame(path, {"1": "Cu", "2": "Zr"})


def test_numbers_of_types_are_kept(numeric_dump, structure, tmp_path):
    frame = read_frame(numeric_dump(structure), {"1": "Zr", "2": "Cu"})
    assert (frame.numbers_n == structure.types_n + 1).all()
    write_dump(tmp_path / "out.dump", frame, {}, {})
    again = read_frame(tmp_path / "out.dump", {})
    assert (again.numbers_n == frame.numbers_n).all()
    assert (again.structure.symbols() == frame.structure.symbols()).all()


def test_a_dump_without_z(tmp_path, numeric_dump, structure):
    path = numeric_dump(structure)
    path.write_text(path.read_text().replace("id type x y z", "id type x y vz"))
    with pytest.raises(GlassError, match="has no column for coordinate z"):
        read_frame(path, {"1": "Cu", "2": "Zr"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("this is no structure file\n", "OVITO cannot read"),
        ("ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n5\nITEM: BOX BOUNDS pp pp pp\n0 1\n", "OVITO cannot read"),
        ("", "OVITO cannot read"),
    ],
)
def test_unreadable_files(tmp_path, content, message):
    path = tmp_path / "bad.dump"
    path.write_text(content)
    with pytest.raises(GlassError, match=message) as caught:
        read_frame(path, {})
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(GlassError, match="does not exist"):
        read_frame(tmp_path / "none.xyz", {})


def test_empty_frame(tmp_path):
    path = tmp_path / "empty.xyz"
    path.write_text("0\nempty\n")
    frame = read_frame(path, {})
    assert frame.structure.n_atoms == 0
    assert frame.ids_n.shape == (0,)
