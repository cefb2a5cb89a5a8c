"""The calculator on a measured configuration: a Cu-Zr glass of 4000 atoms or so."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ase")
from ase import Atoms

from ase_glass import ExtxyzWriter, GlassCalculator
from ase_glass.files import read_frame
from glass_core import load_model, predict
from glass_core.pickles import load_arrays


@pytest.fixture(scope="module")
def glass_atoms(shared_data) -> Atoms:
    content = load_arrays(shared_data / "symgnn" / "train0.pickle")
    symbols = np.array(["Cu", "Zr"])[np.asarray(content["types"]).astype(int) - 1]
    return Atoms(symbols.tolist(), content["positions"], cell=np.asarray(content["box"]), pbc=True)


@pytest.mark.parametrize("name", ["barrier", "scnn"])
def test_real_glass_gives_the_same_through_ase_and_files(glass_atoms, name, tmp_path):
    calc = GlassCalculator(name)
    glass_atoms.calc = calc
    values = calc.predictions(glass_atoms)
    assert all(np.isfinite(array).all() for array in values.values())
    ExtxyzWriter(tmp_path / "a.xyz", glass_atoms)()
    frame = read_frame(tmp_path / "a.xyz", {})
    again = predict(load_model(name), frame.structure)
    for quantity, per_atom in again.items():
        close = np.isclose(per_atom.values, values[f"glass_{quantity}"], atol=1e-4)
        assert close.mean() > 0.999  # a flag may turn where a coordinate is rounded to 8 decimals


def test_part_of_the_glass_cut_out_is_a_surface(glass_atoms):
    part = glass_atoms[glass_atoms.positions[:, 0] < 20]
    part.pbc = (False, True, True)
    part.calc = GlassCalculator()
    assert np.isfinite(part.calc.get_property("glass_barrier", part)).all()
