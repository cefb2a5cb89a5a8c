"""The shipped models on the shipped glass: what a user relies on beyond the contract."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from glass_core import load_model, predict
from glass_core.cli.demo import GLASS
from glass_core.importers import import_files
from glass_core.models.base import Model
from glass_core.structure import Structure, replace_fields
from glass_core.structure_files import read_frame
from glass_core.training.rows import displaced
from tests.potentials.systems import wheel_glass


@pytest.fixture(scope="module")
def shipped() -> Structure:
    pytest.importorskip("ase")
    return read_frame(GLASS).structure


@pytest.fixture(params=["barrier", "barrier_cuzr", "linear"])
def in_ev(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param)


@pytest.mark.parametrize("displacement", [0.02, 0.05, 0.10])
def test_barriers_stay_sane_during_dynamics(in_ev: Model, shipped: Structure, displacement: float) -> None:
    # Trained on minima alone, the same model shifts by 5 eV at 0.1 Å.
    _check_dynamics(in_ev, shipped, displacement, shift=0.1)


@pytest.mark.parametrize("displacement", [0.02, 0.05, 0.10])
def test_barriers_of_another_potential_stay_sane_during_dynamics(in_ev: Model, displacement: float) -> None:
    shift = 0.25 if in_ev.kind == "linear_barrier" else 0.3
    _check_dynamics(in_ev, wheel_glass(), displacement, shift)


def test_many_atoms_of_another_potential_are_out_of_domain(in_ev: Model, shipped: Structure) -> None:
    least = 0.03 if in_ev.card.name == "barrier_cuzr" else 0.2  # it knows more surroundings
    assert predict(in_ev, wheel_glass())["out_of_domain"].values.mean() > least
    assert predict(in_ev, shipped)["out_of_domain"].values.mean() < 0.01


@pytest.mark.parametrize("displacement", [0.02, 0.05, 0.10])
def test_barriers_of_a_training_glass_keep_their_mean_during_dynamics(
    in_ev: Model, shared_data: pathlib.Path, displacement: float
) -> None:
    configuration = import_files([shared_data / "symgnn/train3.pickle"]).configurations[0]
    _check_dynamics(in_ev, configuration.structure, displacement, shift=0.05)


def _check_dynamics(model: Model, structure: Structure, displacement: float, shift: float) -> None:
    at_rest = predict(model, structure)
    moving = predict(model, displaced(structure, displacement, 1))
    rest, motion = at_rest["barrier"].values, moving["barrier"].values
    assert abs(motion.mean() - rest.mean()) < shift
    assert 0.7 < motion.std() / rest.std() < 1.3
    assert np.corrcoef(motion, rest)[0, 1] > 0.75
    assert moving["out_of_domain"].values.mean() < 0.5


@pytest.mark.parametrize("name", ["barrier", "barrier_cuzr", "linear", "symgnn", "scnn"])
def test_crystals_and_strained_glasses_are_out_of_domain(name: str, shared_data: pathlib.Path) -> None:
    if name == "symgnn":
        pytest.importorskip("torch")
    model = load_model(name)
    glass = import_files([shared_data / "symgnn/train2.pickle"]).configurations[0].structure
    dilated, sheared, drawn = (
        replace_fields(glass, positions_nc=glass.positions_nc @ by.T, cell_cc=glass.cell_cc @ by.T)
        for by in (1.03 * np.eye(3), np.eye(3) + 0.08 * np.eye(3, k=1), np.diag([1.05, 1.0, 1.0]))
    )
    fcc = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 3.8
    corners = np.stack(np.meshgrid(*[np.arange(5)] * 3), axis=-1).reshape(-1, 1, 3) * 3.8
    crystal = Structure((fcc + corners).reshape(-1, 3), np.arange(500) % 2, ("Cu", "Zr"), np.eye(3) * 19.0, True)
    named = {"glass": glass, "dilated": dilated, "sheared": sheared, "drawn": drawn, "crystal": crystal}
    rates = {name: predict(model, s)["out_of_domain"].values.mean() for name, s in named.items()}
    assert rates["glass"] < 0.01
    assert rates["dilated"] > 0.99
    assert rates["sheared"] > 0.95
    assert rates["drawn"] > 0.9
    assert rates["crystal"] == 1.0


def test_high_barrier_atoms_of_both_models_agree(shipped: Structure) -> None:
    barrier = predict(load_model("barrier"), shipped)["barrier"].values
    logit = predict(load_model("scnn"), shipped)["logit"].values
    assert np.corrcoef(barrier, logit)[0, 1] > 0.5


def test_shipped_data_stay_small() -> None:
    """They come with every installation and every clone."""
    sizes = [path.stat().st_size for path in pathlib.Path(GLASS).parent.rglob("*") if path.is_file()]
    assert len(sizes) > 20
    assert sum(sizes) < 20e6
