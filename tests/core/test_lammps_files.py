"""What is read from the beginnings of LAMMPS text files."""

from __future__ import annotations

import gzip
import pathlib

import pytest

from glass_core import GlassError
from glass_core.lammps_files import dump_columns, is_data_file, missing_coordinates, type_names

DATA = """written by LAMMPS 9 atoms

2 atoms
3 atom types
0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

{labels}Masses

1 63.5  # Cu
2 91.2 # some metal
3 91

Atoms # atomic

1 1 0 0 0
"""
LABELS = "Atom Type Labels\n\n1 Zr\n2 zirconium\n\n"
DUMP = "ITEM: UNITS\nmetal\nITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS ff ff ff\n0 1\n0 1\n0 1\n"


def written(folder: pathlib.Path, text: str) -> pathlib.Path:
    path = folder / "file"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("labels", "names"), [("", {1: "Cu"}), (LABELS, {1: "Zr", 2: "zirconium"})], ids=["comments", "labels"]
)
def test_names_of_a_data_file(tmp_path: pathlib.Path, labels: str, names: dict[int, str]) -> None:
    path = written(tmp_path, DATA.format(labels=labels))
    assert is_data_file(path)
    assert type_names(path) == names
    assert dump_columns(path) is None


def test_general_triclinic_data_file(tmp_path: pathlib.Path) -> None:
    assert is_data_file(written(tmp_path, "gt\n\n2 atoms\n3.0 0.2 0.1 avec\n-0.1 3.3 0.3 bvec\n"))


@pytest.mark.parametrize("text", ["", "2 atoms\n0 9 xlo xhi\n", "begin\ncomment\natom 1 2 3 Cu 0 0 0 0 0\n", DUMP])
def test_other_files(tmp_path: pathlib.Path, text: str) -> None:
    assert not is_data_file(written(tmp_path, text))


def test_columns_of_a_dump(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.dump.gz"
    path.write_bytes(gzip.compress((DUMP + "ITEM: ATOMS id type xs ys\n1 1 0 0\n").encode()))
    assert dump_columns(path) == ["id", "type", "xs", "ys"]
    assert dump_columns(written(tmp_path, DUMP)) is None
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(GlassError, match=r"cannot read .*a\.dump\.gz"):
        dump_columns(path)


@pytest.mark.parametrize(
    ("columns", "missing"),
    [("x y z", ""), ("xs yu zsu", ""), ("id x y vz", "z"), ("y", "xz"), ("xs xu zs", "y"), ("id type", "xyz")],
)
def test_missing_coordinates(columns: str, missing: str) -> None:
    assert missing_coordinates(columns.split()) == missing
