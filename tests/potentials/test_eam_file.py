"""Reading potential files, and refusing bad ones on one line."""

from __future__ import annotations

import contextlib
import pathlib
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glass_core.errors import GlassError
from glass_core.potentials.base import Potential
from glass_core.potentials.eam import EamPotential
from glass_core.potentials.eam_file import read_eam
from glass_core.structure import Structure
from tests.potentials.systems import shared_potential, wheel_potential


def small_file(form: str = "fs", elements: tuple[str, ...] = ("A", "B"), points: int = 50) -> str:
    """A potential of few points with a cutoff of 4.9."""
    r = np.arange(points) * 0.1
    rows = ["one", "two", "three", f"{len(elements)} {' '.join(elements)}", f"{points} 0.1 {points} 0.1 4.9"]
    for k, _ in enumerate(elements):
        rows.append(f"{k + 1} 50.0 3.6 fcc")
        rows.append(" ".join(f"{-np.sqrt(x):.12g}" for x in r))
        copies = len(elements) if form == "fs" else 1
        rows += [
            " ".join(f"{(4.9 - x) ** 3 / 100 * (k + 1) * (m + 1):.12g}" for x in r.clip(max=4.9)) for m in range(copies)
        ]
    for k in range(len(elements)):
        for m in range(k + 1):
            rows.append(" ".join(f"{(k + m + 1) * x * (4.9 - x) ** 3:.12g}" for x in r.clip(max=4.9)))
    return "\n".join(rows) + "\n"


@pytest.fixture
def written(tmp_path: pathlib.Path):
    def write(text: str | bytes, name: str = "potential.eam.fs") -> pathlib.Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("form", ["fs", "alloy"])
@pytest.mark.parametrize("name", ["x.eam.fs", "x.eam.alloy", "x"])
def test_form_comes_from_the_number_of_values(written, form: str, name: str) -> None:
    content = read_eam(written(small_file(form), name))
    assert content.form == form
    assert content.species == ("A", "B")
    assert (content.cutoff, content.distance_step, content.density_step) == (4.9, 0.1, 0.1)
    r = 2.0
    factor = {"fs": 2.0, "alloy": 1.0}[form]
    assert content.density_ttk[0, 1, 20] == pytest.approx((4.9 - r) ** 3 / 100 * factor)
    assert content.density_ttk[1, 0, 20] == pytest.approx((4.9 - r) ** 3 / 100 * 2)
    assert content.pair_ttk[0, 1, 20] == content.pair_ttk[1, 0, 20] == pytest.approx(2 * r * (4.9 - r) ** 3)
    assert content.embedding_tk[1, 40] == pytest.approx(-2.0)


def test_mendelev_cutoffs() -> None:
    tables = EamPotential(str(shared_potential())).tables
    np.testing.assert_allclose(tables.pair_cut_tt, [[6.0, 7.6], [7.6, 7.6]], atol=0.003)
    np.testing.assert_allclose(tables.density_cut_tt, [[6.0, 6.0], [6.0, 5.6]], atol=0.003)
    assert tables.width == 8


@pytest.mark.parametrize(
    ("name", "form"),
    [("AlCu.eam.alloy", "alloy"), ("NiAlH_jea.eam.fs", "fs"), ("NiAlH_jea.eam.alloy", "alloy"), ("NiO.eam.fs", "fs")],
)
def test_files_of_the_wheel(name: str, form: str) -> None:
    assert read_eam(wheel_potential(name)).form == form


@pytest.mark.parametrize("name", ["Cu_u3.eam", "library.meam", "FeCr.cdeam", "PdHHe.eam.he", "Si_1.meam.spline"])
def test_other_kinds_of_files_are_refused(name: str) -> None:
    with pytest.raises(GlassError, match=name) as error:
        read_eam(wheel_potential(name))
    assert "\n" not in str(error.value)


LINES = small_file().splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 0 lines"),
        ("\n".join(LINES[:4]), "has 4 lines"),
        ("\n".join(LINES[:7]), "is truncated: it holds 54 values, expected 350 for eam/alloy or 450"),
        ("\n".join([*LINES[:-1], LINES[-1][:-30]]), "truncated"),
        (small_file() + "1.0 2.0 " * 200, "of another kind"),
        (small_file().replace("2 A B", "3 A B"), "line 4 must hold the number of elements"),
        (small_file().replace("2 A B", "2 A A"), "names an element twice"),
        (small_file().replace("2 A B", ""), "line 4"),
        (small_file().replace("50 0.1 50 0.1 4.9", "50 0.1 50 0.1"), "line 5 must hold Nrho drho Nr dr cutoff"),
        (small_file().replace("50 0.1 50 0.1 4.9", "50 0.1 x 0.1 4.9"), "line 5"),
        (small_file().replace("50 0.1 50 0.1 4.9", "50 0.1 50 -0.1 4.9"), "must be > 0"),
        (small_file().replace("50 0.1 50 0.1 4.9", "50 0.1 50 nan 4.9"), "must be > 0"),
        (small_file().replace("50 0.1 50 0.1 4.9", "3 0.1 50 0.1 4.9"), "5 to"),
        ("\n".join([*LINES[:6], LINES[6].replace("-1", "x", 1), *LINES[7:]]), "the embedding energy of A holds some"),
        ("\n".join([*LINES[:6], LINES[6].replace("-1", "nan", 1), *LINES[7:]]), "is not finite"),
        ("\n".join([*LINES[:6], LINES[6] + " 1.0", *LINES[7:]]), "has more than 50 values"),
        (b"\xff\xfe\x00\x01" * 500, "no eam/alloy or eam/fs file"),
    ],
)
def test_bad_files(written, text: str | bytes, message: str) -> None:
    with pytest.raises(GlassError, match=message) as error:
        EamPotential(str(written(text)))
    assert "potential.eam.fs" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file_and_folder(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="does not exist"):
        EamPotential(str(tmp_path / "nothing.eam.fs"))
    with pytest.raises(GlassError, match="is a folder"):
        EamPotential(str(tmp_path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_an_error_or_harmless(written, data: st.DataObject) -> None:
    words = [line.split() for line in LINES]
    line = data.draw(st.integers(3, len(words) - 1))
    word = data.draw(st.integers(0, len(words[line]) - 1))
    new = data.draw(st.sampled_from(["", "x", "-1", "0", "1e400", "nan", "1 1", "99999999999", "0.5"]))
    words[line][word] = new
    path = written("\n".join(" ".join(row) for row in words))
    with contextlib.suppress(GlassError):
        read_eam(path)


def test_the_potential_is_a_plain_value(written) -> None:
    path = written(small_file())
    potential: Potential = EamPotential(str(path))
    assert potential.name == "potential.eam.fs"
    again = pickle.loads(pickle.dumps(potential))
    assert again == potential
    assert again.digest == potential.digest
    before = potential.digest
    path.write_text(small_file("alloy"))
    assert potential.digest != before


def test_unknown_species(written) -> None:
    structure = Structure([[0, 0, 0], [3, 0, 0]], [0, 1], ("A", "Au"))
    with pytest.raises(GlassError, match=r"'Au' .* is unknown to the potential .*; give a potential file that has it$"):
        EamPotential(str(written(small_file()))).bind(structure)


def test_species_in_another_order_mean_the_same(written) -> None:
    potential = EamPotential(str(written(small_file())))
    positions = np.array([[0, 0, 0], [2.4, 0, 0], [0, 2.6, 0.3]])
    moved = positions + np.array([[0.1, 0, 0], [0, 0.2, 0], [0, 0, 0]])
    one = potential.bind(Structure(positions, [0, 1, 1], ("A", "B"))).region(0, None).surface.energy_forces(moved)
    two = potential.bind(Structure(positions, [2, 0, 0], ("B", "C", "A"))).region(0, None).surface.energy_forces(moved)
    assert one[0] == two[0]
    np.testing.assert_array_equal(one[1], two[1])
