"""Reading an instance: box, periodicity, species, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lammps_hooks.instance import Instance
from lammps_hooks.structure import read_structure
from tests.lammps.boxes import SPECIES, box

OpenBox = Callable[..., Any]


def test_triclinic_box_in_rows(open_box: OpenBox) -> None:
    lmp = open_box(triclinic=True)
    structure = read_structure(Instance.of_module(lmp), SPECIES)
    # Tilts of the region in lattice units of 4 Å: xy 0.5, xz 0.2, yz 0.1.
    np.testing.assert_allclose(structure.cell_cc, [[16, 0, 0], [2, 16, 0], [0.8, 0.4, 16]], atol=1e-12)
    assert structure.pbc == (True, True, True)


@pytest.mark.parametrize(("boundary", "periodic"), [("p f p", (True, False, True)), ("s m f", (False, False, False))])
def test_boundaries(open_box: OpenBox, boundary: str, periodic: tuple[bool, bool, bool]) -> None:
    lmp = open_box([c.replace("boundary p p p", f"boundary {boundary}") for c in box()])
    assert read_structure(Instance.of_module(lmp), SPECIES).pbc == periodic


def test_species_of_types_and_copies(open_box: OpenBox) -> None:
    lmp = open_box()
    structure = read_structure(Instance.of_module(lmp), ("Zr", "Cu"))
    types = lmp.numpy.extract_atom("type", nelem=256)
    assert structure.symbols().tolist() == [("Zr", "Cu")[t - 1] for t in types]
    before = structure.positions_nc.copy()
    lmp.command("displace_atoms all move 1 0 0")
    np.testing.assert_array_equal(structure.positions_nc, before)
