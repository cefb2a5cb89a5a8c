"""The calculator: the base passes through to the last bit, predictions are lazy and apart."""

from __future__ import annotations

import copy
import json
import pickle
import shutil

import numpy as np
import pytest

pytest.importorskip("ase")
from ase import Atoms, units
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.mixing import SumCalculator
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import Trajectory, read, write
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet
from ase.optimize import FIRE

from ase_glass import ExtxyzWriter, GlassCalculator
from glass_core import GlassError, load_model

MODELS = ["barrier", "scnn"]


def _lj() -> LennardJones:
    return LennardJones(sigma=2.4, epsilon=0.2, rc=5.0, smooth=True)


@pytest.mark.parametrize("make", [EMT, _lj])
@pytest.mark.parametrize("model", MODELS)
def test_standard_properties_are_those_of_the_base_to_the_bit(copper, make, model):
    alone, wrapped = copper.copy(), copper.copy()
    alone.calc, wrapped.calc = make(), GlassCalculator(model, base=make())
    wrapped.calc.predictions(wrapped)
    assert wrapped.calc.implemented_properties == list(alone.calc.implemented_properties)
    for name in alone.calc.implemented_properties:
        if name.startswith("magmom"):  # EMT lists it and does not give it
            continue
        ours, theirs = wrapped.calc.get_property(name, wrapped), alone.calc.get_property(name, alone)
        np.testing.assert_array_equal(ours, theirs, strict=isinstance(theirs, np.ndarray))
    assert wrapped.get_stress().shape == (6,)
    assert wrapped.get_potential_energy(force_consistent=True) == alone.get_potential_energy(force_consistent=True)
    assert set(wrapped.calc.results) == set(alone.calc.results)


@pytest.mark.parametrize("kind", ["verlet", "langevin"])
def test_trajectory_is_bit_identical_and_predictions_are_lazy(copper, calls, kind):
    def run(calculator, observer):
        atoms = copper.copy()
        atoms.calc = calculator
        atoms.set_momenta(np.random.default_rng(1).normal(0, 1.8, (len(atoms), 3)))  # 600 K
        if kind == "verlet":
            dyn = VelocityVerlet(atoms, 2 * units.fs)
        else:
            rng = np.random.RandomState(2)
            dyn = Langevin(atoms, 2 * units.fs, temperature_K=600, friction=0.01, rng=rng, fixcm=False)
        dyn.attach(lambda: observer(atoms), interval=5)
        dyn.run(20)
        return atoms

    alone = run(EMT(), lambda atoms: None)
    wrapped = run(GlassCalculator(base=EMT()), lambda atoms: atoms.calc.get_property("glass_barrier", atoms))
    np.testing.assert_array_equal(wrapped.positions, alone.positions)
    np.testing.assert_array_equal(wrapped.get_momenta(), alone.get_momenta())
    assert len(calls) == 5


def test_one_call_serves_all_outputs_until_the_atoms_change(copper, calls):
    copper.calc = GlassCalculator(base=EMT())
    copper.get_forces()
    assert calls == []
    for name in copper.calc.predicted_properties:
        copper.calc.get_property(name, copper)
    copper.calc.annotate(copper)
    copper.calc.predictions(copper.copy())
    copper.set_constraint(FixAtoms([0]))
    copper.set_momenta(np.ones((len(copper), 3)))
    copper.set_initial_charges(np.ones(len(copper)))
    copper.calc.predictions(copper)
    assert len(calls) == 1
    changes = (
        lambda: copper.positions.__setitem__((3, 0), copper.positions[3, 0] + 1e-13),
        lambda: copper.set_cell(copper.cell * 1.01),
        lambda: copper.set_pbc((True, True, False)),
        lambda: copper.symbols.__setitem__(0, "Zr"),
        lambda: copper.pop(),
        copper.calc.reset,
    )
    for count, change in enumerate(changes, start=2):
        change()
        copper.calc.predictions(copper)
        assert len(calls) == count


def test_cell_change_changes_base_and_prediction(copper):
    copper.calc = GlassCalculator(base=EMT())
    before = copper.get_potential_energy(), copper.calc.predictions(copper)["glass_barrier"]
    copper.set_cell(copper.cell * 1.03, scale_atoms=True)
    assert copper.get_potential_energy() != before[0]
    assert not np.array_equal(copper.calc.predictions(copper)["glass_barrier"], before[1])


def test_results_hold_standard_names_only(copper, tmp_path):
    copper.calc = GlassCalculator(base=EMT())
    copper.calc.get_property("glass_barrier", copper)
    assert copper.calc.results == {}
    properties = copper.get_properties(["energy", "forces"])
    np.testing.assert_array_equal(properties["forces"], EMT().get_property("forces", copper))
    copper.calc.annotate(copper)
    for ending in ("extxyz", "traj", "json", "db"):
        write(tmp_path / f"a.{ending}", copper)
        assert read(tmp_path / f"a.{ending}").get_potential_energy() == pytest.approx(copper.get_potential_energy())


def test_extras_of_the_base_stay_but_do_not_break_get_properties(copper):
    class Extra(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results["node_energy"] = np.zeros(len(self.atoms))

    copper.calc = GlassCalculator(base=Extra())
    assert "energy" in copper.get_properties(["energy"])
    assert "node_energy" in copper.calc.results


def test_returned_arrays_are_copies(copper):
    calc = GlassCalculator()
    calc.get_property("glass_barrier", copper)[:] = 0
    calc.predictions(copper)["glass_barrier"][:] = 0
    calc.annotate(copper)
    copper.arrays["glass_barrier"][:] = 0
    assert calc.get_property("glass_barrier", copper).min() > 0


def test_allow_calculation_false_computes_nothing(copper, calls):
    calc = GlassCalculator(base=EMT())
    assert calc.get_property("glass_barrier", copper, allow_calculation=False) is None
    assert calc.get_property("energy", copper, allow_calculation=False) is None
    assert calc.calculation_required(copper, ["glass_barrier"])
    assert calc.calculation_required(copper, ["energy"])
    assert calls == []
    calc.calculate(copper, ["energy", "glass_barrier"])
    assert len(calls) == 1
    assert not calc.calculation_required(copper, ["energy", "glass_barrier"])
    assert calc.get_property("glass_barrier", copper, allow_calculation=False) is not None
    assert calc.get_property("glass_barrier") is not None
    assert calc.get_property("energy") == calc.base.results["energy"]


def test_without_base_there_are_predictions_only(copper):
    calc = GlassCalculator("scnn")
    copper.calc = calc
    assert calc.implemented_properties == []
    with pytest.raises(GlassError, match="give atoms"):
        calc.predictions()
    assert calc.check_state(copper) == all_changes
    assert set(calc.predictions(copper)) == set(calc.predicted_properties)
    assert calc.check_state(copper) == []
    assert calc.get_property("glass_logit").shape == (len(copper),)
    with pytest.raises(PropertyNotImplementedError, match="base="):
        copper.get_potential_energy()
    with pytest.raises(PropertyNotImplementedError, match="energy"):
        calc.calculate(copper)


@pytest.mark.parametrize("base", [None, EMT()])
def test_unknown_names_offer_the_nearest(copper, base):
    calc = GlassCalculator(base=base)
    for wrong in ("glass_barier", "barrier"):
        with pytest.raises(GlassError, match="Did you mean 'glass_barrier'"):
            calc.get_property(wrong, copper)
        with pytest.raises(PropertyNotImplementedError):
            calc.get_property(wrong, copper)
    with pytest.raises(PropertyNotImplementedError):
        calc.get_property("magmoms", copper)
    with pytest.raises(GlassError, match="Did you mean 'model'"):
        calc.set(modell="scnn")
    with pytest.raises(GlassError, match="unknown model"):
        calc.set(model="nothing")
    assert calc.parameters["model"] == "barrier"


def test_wrong_base_is_refused(copper):
    with pytest.raises(GlassError, match=r"write EMT\(\)"):
        GlassCalculator(base=EMT)
    for wrong in (3, copper):
        with pytest.raises(GlassError, match="must be an ASE calculator"):
            GlassCalculator(base=wrong)


def test_set_changes_the_model_and_keeps_energies(copper, calls):
    calc = GlassCalculator(base=EMT())
    copper.calc = calc
    energy = copper.get_potential_energy()
    calc.predictions(copper)
    assert calc.set(model="scnn") == {"model": "scnn"}
    assert "glass_logit" in calc.predictions(copper)
    assert not calc.calculation_required(copper, ["energy"])
    assert copper.get_potential_energy() == energy
    assert calc.set(model="scnn") == {}
    assert len(calls) == 2


def test_species_map(copper):
    expected = GlassCalculator().predictions(copper)["glass_barrier"]
    copper.symbols[:] = "H"
    calc = GlassCalculator()
    with pytest.raises(GlassError, match="species 'H'"):
        calc.predictions(copper)
    for species_map in ({"H": "Cu"}, "H=Cu", {"H": "Cu", "²": "Zr"}):
        calc.set(species_map=species_map)
        np.testing.assert_array_equal(calc.predictions(copper)["glass_barrier"], expected)
    assert GlassCalculator(species_map="H=Cu").parameters["species_map"] == {"H": "Cu"}
    with pytest.raises(GlassError, match="entry 'H-Cu' must read"):
        calc.set(species_map="H-Cu")
    assert calc.parameters["species_map"] == {"H": "Cu", "²": "Zr"}


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda calc: pickle.loads(pickle.dumps(calc))])
def test_clones_agree_and_are_independent(copper, clone, tmp_path):
    calc = GlassCalculator("scnn", base=_lj(), species_map={"H": "Cu"})  # EMT itself cannot be pickled after use
    copper.calc = calc
    copper.get_forces()
    expected = calc.predictions(copper)
    twin = clone(calc)
    assert twin.parameters == calc.parameters
    assert twin.implemented_properties == calc.implemented_properties
    np.testing.assert_array_equal(twin.get_property("forces", copper), copper.get_forces())
    for name, values in twin.predictions(copper).items():
        np.testing.assert_array_equal(values, expected[name])
    twin.reset()
    assert twin.results == {}
    assert "energy" in calc.results
    assert len(pickle.dumps(GlassCalculator())) < 2000


def test_atoms_with_calculator_can_be_copied(copper):
    copper.calc = GlassCalculator(base=EMT())
    copper.get_forces()
    assert copper.copy().calc is None
    twin = copy.deepcopy(copper)
    assert twin.calc is not copper.calc
    assert twin.get_potential_energy() == copper.get_potential_energy()


def test_todict_is_plain_json(tmp_path):
    path = tmp_path / "mine.safetensors"
    shutil.copy(load_model("scnn").card.path, path)
    content = GlassCalculator(path, base=_lj(), species_map={"H": "Cu"}).todict()
    assert json.loads(json.dumps(content)) == content
    assert content["model"] == str(path)
    assert content["species_map"] == {"H": "Cu"}
    assert content["base"]["parameters"]["epsilon"] == 0.2
    assert GlassCalculator().todict() == {"model": "barrier"}
    assert GlassCalculator(load_model("scnn")).todict() == {"model": "scnn"}


def test_path_is_kept_when_the_folder_changes(copper, tmp_path, monkeypatch):
    shutil.copy(load_model().card.path, tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    calc = GlassCalculator("mine.safetensors")
    monkeypatch.chdir("/")
    assert "glass_barrier" in copy.deepcopy(calc).predictions(copper)


def test_lists_are_not_shared_between_instances():
    first, second = GlassCalculator(base=EMT()), GlassCalculator(base=EMT())
    first.implemented_properties.append("nonsense")
    assert "nonsense" not in second.implemented_properties
    assert "nonsense" not in EMT.implemented_properties
    assert GlassCalculator.implemented_properties == Calculator.implemented_properties == []


class _Old:
    """As calculators were before 2010: methods, no properties. Springs to the origin."""

    asked = 0

    def get_potential_energy(self, atoms, force_consistent=False):
        self.asked += 1
        return float((atoms.positions**2).sum())

    def get_forces(self, atoms):
        return -2 * atoms.positions

    def set_atoms(self, atoms):
        self.attached = len(atoms)


def test_old_style_base(copper):
    old = _Old()
    copper.calc = GlassCalculator(base=old)
    assert old.attached == len(copper)
    assert copper.calc.implemented_properties == ["energy", "forces", "free_energy"]
    assert copper.get_potential_energy() == float((copper.positions**2).sum())
    copper.get_potential_energy()
    assert old.asked == 1
    np.testing.assert_array_equal(copper.get_forces(), -2 * copper.positions)
    copper.positions += 0.1
    assert copper.get_potential_energy(force_consistent=True) == float((copper.positions**2).sum())
    assert copper.calc.todict()["base"]["name"] == "_old"
    with pytest.raises(PropertyNotImplementedError):
        copper.get_stress()


def test_results_read_from_a_file_as_base(copper):
    copper.calc = GlassCalculator(base=SinglePointCalculator(copper, energy=-3.0))
    assert copper.get_potential_energy() == -3.0
    with pytest.raises(PropertyNotImplementedError):
        copper.get_forces()


def test_two_models_stack(copper):
    copper.calc = GlassCalculator("scnn", base=GlassCalculator("barrier", base=EMT()))
    assert copper.get_potential_energy() == EMT().get_potential_energy(copper)
    assert copper.calc.get_property("glass_barrier", copper).shape == (108,)
    assert copper.calc.get_property("glass_logit", copper).shape == (108,)


def test_constraints_and_optimisers_and_trajectories(copper, tmp_path):
    copper.set_constraint(FixAtoms(range(54)))
    alone = copper.copy()
    alone.calc, copper.calc = EMT(), GlassCalculator(base=EMT())
    for atoms, name in ((alone, "alone.traj"), (copper, "glass.traj")):
        FIRE(atoms, logfile=None, trajectory=str(tmp_path / name)).run(steps=5)
    np.testing.assert_array_equal(copper.positions, alone.positions)
    with Trajectory(tmp_path / "glass.traj") as frames:
        assert frames[-1].get_potential_energy() == alone.get_potential_energy()


def test_structures_that_are_odd():
    calc = GlassCalculator()
    assert calc.predictions(Atoms())["glass_barrier"].shape == (0,)
    alone = calc.predictions(Atoms("Cu"))["glass_barrier"]
    assert np.isfinite(alone).all()
    with pytest.raises(GlassError, match="atom"):
        calc.predictions(Atoms("CuZr", positions=[[0, 0, 0], [0, 0, 0]]))


def test_base_is_not_asked_more_often_than_alone(copper, tmp_path):
    class Counting(EMT):
        count = 0

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            self.count += 1
            super().calculate(atoms, properties, system_changes)

    def run(calculator, observe):
        atoms = copper.copy()
        atoms.calc = calculator
        dyn = VelocityVerlet(atoms, 2 * units.fs)
        dyn.attach(observe(atoms), interval=2)
        dyn.run(6)

    alone, base = Counting(), Counting()
    run(alone, lambda atoms: atoms.get_potential_energy)
    run(GlassCalculator(base=base), lambda atoms: ExtxyzWriter(tmp_path / "a.xyz", atoms))
    assert base.count == alone.count == 7


def test_sum_of_calculators(copper):
    copper.calc = SumCalculator([GlassCalculator(base=EMT()), _lj()])
    expected = EMT().get_potential_energy(copper) + _lj().get_potential_energy(copper)
    assert copper.get_potential_energy() == pytest.approx(expected)
