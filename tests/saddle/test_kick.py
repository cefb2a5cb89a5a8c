"""Which atoms a kick moves."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.errors import GlassError
from glass_core.saddle.kick import gaussian_kick, kicked_atoms
from glass_core.saddle.settings import Kick
from glass_core.structure import Structure

FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
BCC = [[0, 0, 0], [0.5, 0.5, 0.5]]


def crystal(basis, a, cells, noise=0.0):
    shifts = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    positions = (shifts + np.array(basis)).reshape(-1, 3) * a
    positions += np.random.default_rng(0).normal(size=positions.shape) * noise
    return Structure(positions, np.zeros(len(positions), int), ("Cu",), np.eye(3) * a * cells, True)


@pytest.mark.parametrize(
    ("kick", "expected"),
    [
        (Kick("centre"), 1),
        (Kick("radius", 2.7), 13),
        (Kick("radius", 3.7), 19),
        (Kick("shell"), 13),
        (Kick("voronoi"), 13),
    ],
)
def test_fcc_copper_has_twelve_neighbours(kick, expected):
    atoms = kicked_atoms(crystal(FCC, 3.61, 6, noise=0.01), 5, kick)
    assert len(atoms) == expected
    assert atoms[0] == 5
    assert len(set(atoms.tolist())) == expected


def test_voronoi_cells_of_bcc_have_fourteen_faces():
    assert len(kicked_atoms(crystal(BCC, 2.87, 8, noise=0.01), 0, Kick("voronoi"))) == 15


def test_shell_of_a_glass_ends_at_the_first_minimum():
    from glass_core.cli.demo import GLASS
    from glass_core.structure_files import read_frame

    structure = read_frame(GLASS).structure
    sizes = [len(kicked_atoms(structure, atom, Kick("shell"))) - 1 for atom in range(0, 4000, 200)]
    assert 10 < np.mean(sizes) < 17  # a coordination number of Cu-Zr glasses


def test_kick_is_gaussian_on_its_atoms_and_of_length_one():
    kick = gaussian_kick(np.array([3, 7]), 10, np.random.default_rng(0))
    assert np.linalg.norm(kick) == pytest.approx(1)
    assert (np.flatnonzero(np.abs(kick).sum(axis=1)) == [3, 7]).all()


def test_unknown_atom():
    with pytest.raises(GlassError, match=r"atom 99999 does not exist; the structure has atoms 0 … 863"):
        kicked_atoms(crystal(FCC, 3.61, 6), 99999, Kick())


def test_lonely_atom_has_no_voronoi_cell():
    lonely = Structure([[0, 0, 0], [2.5, 0, 0]], [0, 0], ("Cu",))
    with pytest.raises(GlassError, match=r"no Voronoi cell: too few neighbours; use kick\.atoms radius"):
        kicked_atoms(lonely, 0, Kick("voronoi"))
