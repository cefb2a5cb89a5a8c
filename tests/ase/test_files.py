"""Reading structure files through ASE and writing extended XYZ."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

pytest.importorskip("ase")
from ase.io import read, write

from ase_glass.files import read_frame, write_extxyz
from glass_core import GlassError, Structure, load_model, predict
from glass_core.file_formats import write_dump
from glass_core.frame import Frame
from glass_core.outputs import PerAtom, output
from tests.ase.versions import ase_before

HEAD = "ITEM: TIMESTEP\n7\nITEM: NUMBER OF ATOMS\n3\n"
ORTHOGONAL = "ITEM: BOX BOUNDS pp pp ff\n-1 9\n2 12\n0 10\n"
# xy 2, xz -3, yz -1.5: LAMMPS writes the bounding box of the sheared box
TRICLINIC = "ITEM: BOX BOUNDS xy xz yz pp pp pp\n-3 12 2\n-1.5 10 -3\n0 10 -1.5\n"
SHEARED = [[10, 0, 0], [2, 10, 0], [-3, -1.5, 10]]
ROWS = "3 1 1 2 3\n1 2 4 5 6\n2 1 7 8 9.5\n"
TYPES = {"1": "Cu", "2": "Zr"}
needs_new_ase = pytest.mark.skipif(ase_before(3, 27), reason="ASE before 3.27 cannot read such files")


@pytest.fixture
def dump(tmp_path):
    def make(text, name="a.dump"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return make


def _columns(names, rows=ROWS, box=ORTHOGONAL, head=HEAD):
    return f"{head}{box}ITEM: ATOMS {names}\n{rows}"


def test_numeric_types_go_through_the_map_and_ids_and_order_are_kept(dump):
    frame = read_frame(dump(_columns("id type x y z")), TYPES)
    assert frame.structure.symbols().tolist() == ["Cu", "Zr", "Cu"]
    assert frame.ids_n.tolist() == [3, 1, 2]
    np.testing.assert_array_equal(frame.structure.positions_nc, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]])
    np.testing.assert_array_equal(frame.structure.cell_cc, np.diag([10, 10, 10]))
    assert frame.structure.pbc == (True, True, False)
    assert frame.info == {"timestep": 7, "origin": [-1.0, 2.0, 0.0]}


@pytest.mark.parametrize("types", [{}, {"1": "Cu"}, {"H": "Cu", "He": "Zr"}])
def test_types_without_species_are_never_guessed(dump, types):
    path = dump(_columns("id type mass x y z", "3 1 63.5 1 2 3\n1 2 91.2 4 5 6\n2 1 63.5 7 8 9\n"))
    with pytest.raises(GlassError, match=r"type [12] in .*a\.dump has no species"):
        read_frame(path, types)


@pytest.mark.parametrize(
    ("names", "mapping"),
    [(("Cu", "Zr"), {}), (("A", "B"), {"A": "Cu", "B": "Zr"}), (("Cu", "Zr"), TYPES)],
)
def test_element_column(dump, names, mapping):
    a, b = names
    rows = f"3 1 {a} 1 2 3\n1 2 {b} 4 5 6\n2 1 {a} 7 8 9\n"
    frame = read_frame(dump(_columns("id type element x y z", rows)), mapping)
    assert frame.structure.symbols().tolist() == ["Cu", "Zr", "Cu"]


def test_the_number_of_a_type_with_an_element_must_agree_with_it(dump):
    path = dump(_columns("id type element x y z", "3 1 Zr 1 2 3\n1 2 Cu 4 5 6\n2 1 Zr 7 8 9\n"))
    with pytest.raises(GlassError, match=r"type 1 in .*a\.dump is Zr by its name 'Zr' and Cu by its number"):
        read_frame(path, TYPES)


def test_numbers_of_types_are_kept(dump, tmp_path):
    frame = read_frame(dump(_columns("id type x y z")), {"1": "Zr", "2": "Cu"})
    assert frame.numbers_n.tolist() == [1, 2, 1]
    write_dump(tmp_path / "b.dump", frame, {}, {})
    assert read_frame(tmp_path / "b.dump", {}).numbers_n.tolist() == [1, 2, 1]
    named = read_frame(dump("2\n\nZr 0 0 0\nCu 3 0 0\n", "a.xyz"), {})
    assert named.numbers_n is None


@pytest.mark.parametrize(("columns", "missing"), [("x y vz", "z"), ("xs vx zs", "y"), ("vx vy vz", "x, y, z")])
def test_a_dump_without_a_coordinate(dump, columns, missing):
    with pytest.raises(GlassError, match=rf"a\.dump has no column for coordinate {missing}; add it"):
        read_frame(dump(_columns(f"id type {columns}")), TYPES)


def test_numeric_types_of_extended_xyz_have_no_species(dump):
    path = dump("2\nProperties=type:I:1:pos:R:3\n2 0 0 0\n1 3 0 0\n", "a.xyz")
    assert read_frame(path, TYPES).structure.symbols().tolist() == ["Zr", "Cu"]
    with pytest.raises(GlassError, match=r"type 1 in .*a\.xyz has no species"):
        read_frame(path, {})


def test_triclinic_box(dump):
    frame = read_frame(dump(_columns("id type x y z", box=TRICLINIC)), TYPES)
    np.testing.assert_array_equal(frame.structure.cell_cc, SHEARED)
    np.testing.assert_array_equal(frame.structure.positions_nc, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]])


@pytest.mark.parametrize(
    ("box", "cell", "origin"), [(TRICLINIC, SHEARED, (0, 0, 0)), (ORTHOGONAL, np.eye(3) * 10, (-1, 2, 0))]
)
def test_scaled_coordinates_start_at_the_origin_of_the_box(dump, box, cell, origin):
    scaled = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])
    rows = "".join(f"{k} 1 {x} {y} {z}\n" for k, (x, y, z) in enumerate(scaled, start=1))
    frame = read_frame(dump(_columns("id type xs ys zs", rows, box)), TYPES)
    np.testing.assert_allclose(frame.structure.positions_nc, scaled @ cell + origin)


@pytest.mark.parametrize("columns", ["id type x y z", "id type xs ys zs", "id type xu yu zu"])
@pytest.mark.parametrize(
    "box", [ORTHOGONAL, TRICLINIC, ORTHOGONAL.replace(" pp pp ff", ""), TRICLINIC.replace(" pp pp pp", "")]
)
def test_ovito_reads_the_same(dump, columns, box):
    pytest.importorskip("ovito")
    from ovito_glass.reader import read_frame as read_with_ovito

    path = dump(_columns(columns, box=box))
    ours, theirs = read_frame(path, TYPES), read_with_ovito(path, TYPES)
    np.testing.assert_allclose(ours.structure.positions_nc, theirs.structure.positions_nc)
    np.testing.assert_allclose(ours.structure.cell_cc, theirs.structure.cell_cc)
    assert ours.structure.symbols().tolist() == theirs.structure.symbols().tolist()
    assert ours.structure.pbc == theirs.structure.pbc
    assert ours.ids_n.tolist() == theirs.ids_n.tolist()


def test_frames_are_counted_from_both_ends(dump):
    text = "".join(_columns("id type x y z", head=HEAD.replace("7", str(step))) for step in (0, 100, 200))
    path = dump(text)
    assert [read_frame(path, TYPES, k).info["timestep"] for k in (0, 1, -1, -3)] == [0, 100, 200, 0]
    for index in (3, -4):
        with pytest.raises(GlassError, match=f"frame {index} of .* does not exist; it has 3"):
            read_frame(path, TYPES, index)
    path.write_text(text[:-30])
    with pytest.raises(GlassError, match=r"a\.dump is cut short: . of 3 atoms"):
        read_frame(path, TYPES)
    assert read_frame(path, TYPES, -2).info["timestep"] == 100


def test_compressed_dump_and_dump_without_ids(dump, tmp_path):
    with gzip.open(tmp_path / "a.dump.gz", "wt") as handle:
        handle.write(_columns("type x y z", "1 1 2 3\n1 4 5 6\n2 7 8 9\n"))
    frame = read_frame(tmp_path / "a.dump.gz", TYPES)
    assert frame.ids_n.tolist() == [1, 2, 3]
    assert frame.structure.symbols().tolist() == ["Cu", "Cu", "Zr"]


@needs_new_ase
def test_empty_dumps(dump):
    text = _columns("id type x y z", "", head=HEAD.replace("\n3\n", "\n0\n"))
    assert read_frame(dump(text), TYPES).structure.n_atoms == 0


def test_old_versions_of_ase_say_that_they_are_old(dump, monkeypatch):
    monkeypatch.setattr("ase.__version__", "3.23.0")
    with pytest.raises(GlassError, match=r"is it complete\? ASE 3\.23\.0 is old; .*pip install -U ase"):
        read_frame(dump("garbage", "a.xyz"), TYPES)


def test_signed_ids_and_steps(dump):
    frame = read_frame(
        dump(_columns("id type x y z", ROWS.replace("3 1 1", "-3 1 1"), head=HEAD.replace("7", "-7"))), TYPES
    )
    assert frame.ids_n.tolist() == [-3, 1, 2]
    assert frame.info["timestep"] == -7


@pytest.mark.parametrize(
    ("columns", "first", "second", "numbers"),
    [
        ("type", "Cu", "Zr", None),
        ("typelabel", "Cu", "Zr", None),
        ("type element", "A Cu", "B Zr", None),
        ("type typelabel", "1 Cu", "2 Zr", [1, 2, 1]),
    ],
)
def test_labels_of_types(dump, columns, first, second, numbers):
    rows = f"3 {first} 1 2 3\n1 {second} 4 5 6\n2 {first} 7 8 9.5\n"
    frame = read_frame(dump(_columns(f"id {columns} x y z", rows)), {})
    assert frame.structure.symbols().tolist() == ["Cu", "Zr", "Cu"]
    assert frame.ids_n.tolist() == [3, 1, 2]
    assert (frame.numbers_n if numbers is None else frame.numbers_n.tolist()) == numbers


def test_single_atom_dumps(dump):
    text = _columns("id type x y z", "5 2 0 0 0\n", head=HEAD.replace("\n3\n", "\n1\n"))
    assert read_frame(dump(text), TYPES).ids_n.tolist() == [5]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.dump", _columns("id type x y z", ROWS.replace("9.5", "nan")), "atom 2 is not finite"),
        ("a.dump", _columns("id type x y z", ROWS.replace("9.5", "x")), "cannot read"),
        ("a.dump", _columns("id x y z", "1 1 2 3\n2 4 5 6\n3 7 8 9\n"), "no column type or element"),
        ("a.dump", HEAD, "header is incomplete"),
        ("a.dump", "", "does not know the format"),
        ("a.xyz", "garbage", "cannot read"),
        ("a.xyz", "3\n\nCu 0 0 0\nCu 1 1 1\n", "is it complete"),
        ("a.xyz", "2\n\nCu 0 0 0\nCu 1 1 nan\n", "atom 1 is not finite"),
        ("a.xyz", "2\n\nCu 0 0 0\nQq 1 1 1\n", "Qq"),
        ("a.bin", "\0\1\2", "does not know the format"),
    ],
)
def test_bad_files_are_named(dump, name, text, message):
    with pytest.raises(GlassError, match=message) as caught:
        read_frame(dump(text, name), TYPES)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_frame(tmp_path, copper):
    with pytest.raises(GlassError, match="does not exist"):
        read_frame(tmp_path / "none.xyz", {})
    write(tmp_path / "a.xyz", [copper, copper])
    assert read_frame(tmp_path / "a.xyz", {}, 1).structure.n_atoms == len(copper)
    write(tmp_path / "POSCAR", copper)
    for name, index in (("a.xyz", 2), ("a.xyz", -3), ("POSCAR", 1)):
        with pytest.raises(GlassError, match=f"frame {index} of .*{name} does not exist"):
            read_frame(tmp_path / name, {}, index)


DATA = (
    "data\n\n2 atoms\n2 atom types\n0 9 xlo xhi\n0 9 ylo yhi\n0 9 zlo zhi\n\n"
    "Masses\n\n1 63.5\n2 91.2\n\nAtoms # atomic\n\n2 1 0 0 0\n1 2 2 2 2\n"
)


@pytest.mark.parametrize("name", ["a.lammps-data", "a.data", "data.glass", "glass"])
def test_lammps_data_file(dump, name):
    path = dump(DATA, name)
    with pytest.raises(GlassError, match="type 1 in"):
        read_frame(path, {})
    frame = read_frame(path, {"1": "Zr", "2": "Cu"})
    assert frame.structure.symbols().tolist() == ["Zr", "Cu"]
    assert frame.ids_n.tolist() == [2, 1]
    assert frame.numbers_n.tolist() == [1, 2]


def test_elements_behind_the_masses_of_a_data_file(dump):
    path = dump(DATA.replace("63.5", "63.5 # Cu").replace("91.2", "91.2 # Zr"), "a.data")
    for species_map in ({}, TYPES):
        assert read_frame(path, species_map).structure.symbols().tolist() == ["Cu", "Zr"]
    with pytest.raises(GlassError, match=r"type 1 in .* is Cu by its name 'Cu' and Zr by its number"):
        read_frame(path, {"1": "Zr", "2": "Cu"})


@needs_new_ase
def test_data_file_with_type_labels_in_place_of_numbers(dump):
    text = DATA.replace("Masses\n\n1 63.5\n2 91.2", "Atom Type Labels\n\n1 Cu\n2 Zr")
    path = dump(text.replace("2 1 0 0 0", "2 Cu 0 0 0").replace("1 2 2 2 2", "1 Zr 2 2 2"), "a.data")
    with pytest.raises(GlassError, match=r"type labels instead of numbers, .*; read it with --reader ovito"):
        read_frame(path, TYPES)


@pytest.fixture
def predicted(small_glass):
    outputs = predict(load_model(), small_glass)
    ids = np.random.default_rng(1).permutation(small_glass.n_atoms) + 10_000_000
    return Frame(small_glass, ids, {"timestep": 500, "origin": [1.0, -2.0, 0.5]}), outputs


def test_extxyz_in_ase(predicted, tmp_path):
    frame, outputs = predicted
    write_extxyz(tmp_path / "a.extxyz", frame, outputs, {"glass_model": "barrier", "n": 3})
    atoms = read(tmp_path / "a.extxyz")
    np.testing.assert_array_equal(atoms.arrays["id"], frame.ids_n)
    np.testing.assert_allclose(atoms.positions, frame.structure.positions_nc, atol=1e-8)
    np.testing.assert_allclose(atoms.cell.array, frame.structure.cell_cc, rtol=1e-15)
    assert atoms.info["glass_model"] == "barrier"
    assert atoms.info["n"] == 3
    for name, per_atom in outputs.items():
        np.testing.assert_allclose(atoms.arrays[output(name).ase], per_atom.values, atol=1e-8)
    again = read_frame(tmp_path / "a.extxyz", {})
    np.testing.assert_array_equal(again.ids_n, frame.ids_n)
    assert again.info == frame.info
    assert again.structure.symbols().tolist() == frame.structure.symbols().tolist()


def test_extxyz_has_no_box_that_was_not_given(tmp_path):
    positions = [[0, 0, 0], [2.5, 1, 3]]
    for cell, pbc in ((None, False), ([9, 0, 8], (True, False, True))):
        frame = Frame(Structure(positions, [0, 1], ("Cu", "Zr"), cell, pbc), np.array([1, 2]))
        write_extxyz(tmp_path / "a.extxyz", frame, {}, {})
        atoms = read(tmp_path / "a.extxyz")
        assert atoms.cell.array.tolist() == np.diag(cell or [0, 0, 0]).tolist()
        assert atoms.pbc.tolist() == list(frame.structure.pbc)
        assert ("Lattice" in (tmp_path / "a.extxyz").read_text()) == (cell is not None)
        np.testing.assert_array_equal(read_frame(tmp_path / "a.extxyz", {}).structure.cell_cc, frame.structure.cell_cc)


def test_extxyz_of_a_model_without_a_hash(predicted, tmp_path):
    """ASE writes an empty text so that it swallows the entry behind it."""
    frame, outputs = predicted
    structure = Structure(
        frame.structure.positions_nc, frame.structure.types_n, ("Cu", "Zr"), [99] * 3, (True, False, True)
    )
    write_extxyz(tmp_path / "a.xyz", Frame(structure, frame.ids_n), outputs, {"glass_model_sha256": ""})
    atoms = read(tmp_path / "a.xyz")
    assert atoms.pbc.tolist() == [True, False, True]
    assert atoms.info == {"glass_outputs": ",".join(outputs)}


def test_extxyz_in_ovito(predicted, tmp_path):
    io = pytest.importorskip("ovito.io")
    frame, outputs = predicted
    write_extxyz(tmp_path / "a.xyz", frame, outputs, {"glass_model": "barrier"})
    data = io.import_file(str(tmp_path / "a.xyz")).compute()
    np.testing.assert_array_equal(data.particles.identifiers, frame.ids_n)
    np.testing.assert_allclose(data.particles.positions, frame.structure.positions_nc, atol=1e-8)
    np.testing.assert_allclose(np.array(data.cell)[:, :3].T, frame.structure.cell_cc)
    np.testing.assert_allclose(np.array(data.cell)[:, 3], frame.info["origin"])
    for name, per_atom in outputs.items():
        np.testing.assert_allclose(data.particles[output(name).ase], per_atom.values, atol=1e-8)


def test_partial_predictions_are_nan(predicted, tmp_path):
    frame, outputs = predicted
    values = outputs["barrier"].values.copy()
    values[5:] = np.nan
    write_extxyz(tmp_path / "a.xyz", frame, {"barrier": PerAtom(values, "eV")}, {})
    np.testing.assert_allclose(read(tmp_path / "a.xyz").arrays["glass_barrier"], values, atol=1e-8)


def test_good_file_is_not_replaced_by_a_failure(predicted, tmp_path):
    frame, outputs = predicted
    path = tmp_path / "a.xyz"
    write_extxyz(path, frame, outputs, {})
    before = path.read_bytes()
    structure = Structure(frame.structure.positions_nc, frame.structure.types_n, ("A", "B"))
    with pytest.raises(GlassError, match=r"'A' is none; give a species map such as A=Cu"):
        write_extxyz(path, Frame(structure, frame.ids_n), outputs, {})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.xyz"]


def test_our_own_dump_comes_back(predicted, tmp_path):
    frame, outputs = predicted
    write_dump(tmp_path / "a.dump", frame, outputs, {})
    again = read_frame(tmp_path / "a.dump", {})
    assert again.ids_n.tolist() == frame.ids_n.tolist()
    assert again.structure.symbols().tolist() == frame.structure.symbols().tolist()
    theirs = predict(load_model(), again.structure)
    for name, per_atom in outputs.items():
        np.testing.assert_allclose(theirs[name].values, per_atom.values, atol=1e-4)
