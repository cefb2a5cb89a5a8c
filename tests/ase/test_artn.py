"""``ARTn`` and the surface under it: what an optimiser of ASE promises, kept."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ase", reason="ASE is not installed")

from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, FixBondLength
from ase.io import read
from ase.io.trajectory import Trajectory
from ase.optimize import BFGS
from ase.optimize.optimize import Optimizer

from ase_glass import ARTn, AseSurface
from ase_glass.event import event_frames
from ase_glass.kicks import kick_direction
from glass_core import GlassError
from glass_core.saddle.duplicates import distinct_events
from glass_core.saddle.records import State
from glass_core.saddle.settings import Events, Kick, Push, preset
from glass_core.surface import Surface


@pytest.fixture(scope="module")
def relaxed() -> Atoms:
    """An adatom on a slab of two layers, the lower one fixed."""
    atoms = fcc100("Cu", (3, 3, 2), vacuum=6.0)
    add_adsorbate(atoms, "Cu", 1.7, "hollow")
    atoms.set_constraint(FixAtoms(mask=[atom.tag == 2 for atom in atoms]))
    atoms.calc = EMT()
    assert BFGS(atoms, logfile=None).run(fmax=0.005, steps=200)
    return atoms


@pytest.fixture
def slab(relaxed: Atoms) -> Atoms:
    atoms = relaxed.copy()
    atoms.calc = EMT()
    return atoms


ADATOM = 18


def hop(atoms: Atoms, **options) -> ARTn:
    """A search that is accepted."""
    return ARTn(atoms, **{"kick": "centre", "centre": ADATOM, "seed": 1, "logfile": None, **options})


def lost(atoms: Atoms, **options) -> ARTn:
    """A search that finds nothing, since it may push once only."""
    settings = replace(preset("bauchy2024"), push=Push(first=0.05, most=1))
    return hop(atoms, settings=settings, **options)


def test_it_is_an_optimizer_and_ends_at_the_saddle(slab: Atoms, relaxed: Atoms) -> None:
    artn = hop(slab)
    assert isinstance(artn, Optimizer)
    assert artn.converged() is False
    assert artn.state is None
    assert math.isnan(artn.barrier)
    assert artn.run(fmax=0.01) is True
    assert artn.state is State.ACCEPTED
    assert artn.converged() is artn.gradient_converged(np.zeros(9)) is True
    rise = slab.get_potential_energy() - relaxed.get_potential_energy()
    assert rise == pytest.approx(artn.barrier, abs=1e-9)
    assert np.linalg.norm(slab.get_forces(), axis=1).max() < 0.01
    assert (slab.positions[9:18] != relaxed.positions[9:18]).any()
    np.testing.assert_array_equal(slab.positions[:9], relaxed.positions[:9])
    mode = artn.mode
    assert np.linalg.norm(mode) == pytest.approx(1.0)
    assert not mode[:9].any()
    assert np.linalg.norm(mode[ADATOM]) > 0.5


def test_saddle_and_minima(slab: Atoms, relaxed: Atoms) -> None:
    artn = hop(slab)
    artn.run(fmax=0.01)
    first, second = artn.minima
    saddle = artn.saddle
    np.testing.assert_allclose(first.positions, relaxed.positions, atol=1e-12)
    np.testing.assert_allclose(saddle.positions, slab.positions, atol=1e-12)
    assert saddle.get_potential_energy() - first.get_potential_energy() == pytest.approx(artn.barrier, abs=1e-9)
    assert second.get_potential_energy() == pytest.approx(first.get_potential_energy(), abs=0.01)
    assert np.linalg.norm(second.positions[ADATOM] - first.positions[ADATOM]) == pytest.approx(2.55, abs=0.05)
    for frame in (first, saddle, second):
        assert not frame.get_forces()[:9].any()
        assert len(frame.constraints) == 1


def test_records_tell_which_searches_found_the_same(slab: Atoms, relaxed: Atoms) -> None:
    with pytest.raises(GlassError, match="has not ended"):
        hop(slab).record  # noqa: B018 - a property
    records = []
    for seed in (3, 3, 5, 1):
        slab.set_positions(relaxed.positions)
        artn = hop(slab, seed=seed)
        artn.run(fmax=0.01)
        record = artn.record
        assert (record.atom, record.state, record.elastic_error) == (
            ADATOM,
            artn.state,
            pytest.approx(np.nan, nan_ok=True),
        )
        assert record.barrier == record.first_barrier == artn.outcome.energy
        assert sum(record.calls) == artn.outcome.total_calls
        records.append(record)
    event = records[0]
    assert event.state is State.ACCEPTED
    assert event.moved_d.tolist() == list(range(9, len(slab)))
    numbers = distinct_events(records, Events())
    assert numbers[0] == numbers[1] == 0
    hops = [r.final_dc[-1].round(1).tolist() for r, n in zip(records, numbers, strict=True) if n >= 0]
    assert len({tuple(h) for h in hops}) == numbers.max() + 1


def test_frames_of_a_saddle_of_other_minima_say_so(slab: Atoms, relaxed: Atoms) -> None:
    artn = hop(slab)
    artn.run(fmax=0.01)
    surface, outcome = artn._ended()
    strange = replace(outcome, sides=tuple(replace(side, initial=False) for side in outcome.sides))
    frames = event_frames(relaxed, surface, strange)
    assert [frame.info["artn_phase"] for frame in frames] == ["minimum", "saddle", "final"]


def test_trajectory_holds_minimum_saddle_minimum(slab: Atoms, tmp_path) -> None:
    path = tmp_path / "event.traj"
    slab.info["name"] = "slab"
    artn = hop(slab, trajectory=path)
    artn.run()
    frames = read(path, ":")
    assert [frame.info["artn_phase"] for frame in frames] == ["initial", "saddle", "final"]
    assert {frame.info["artn_state"] for frame in frames} == {"accepted"}
    assert {frame.info["name"] for frame in frames} == {"slab"}
    energies = [frame.get_potential_energy() for frame in frames]
    assert energies[1] - energies[0] == pytest.approx(artn.barrier, abs=1e-9)
    assert set(frames[1].get_properties(["energy", "forces"])) >= {"energy", "forces"}
    again = hop(slab_at(frames[0]), trajectory=path, append_trajectory=True)
    again.run()
    assert len(read(path, ":")) == 6
    with Trajectory(tmp_path / "open.traj", "w") as file:
        hop(slab_at(frames[0]), trajectory=file).run()
    assert len(read(tmp_path / "open.traj", ":")) == 3


def slab_at(frame: Atoms) -> Atoms:
    atoms = frame.copy()
    atoms.calc = EMT()
    return atoms


def test_failure_is_told_and_leaves_no_event(slab: Atoms, tmp_path) -> None:
    path, log = tmp_path / "event.traj", io.StringIO()
    path.write_bytes(b"of an earlier search")
    artn = lost(slab, trajectory=str(path), logfile=log)
    assert artn.run() is False
    assert artn.state is State.LOST
    assert math.isnan(artn.barrier)
    assert not path.exists()
    assert log.getvalue().splitlines()[-1].startswith("ARTn: lost, ")
    with pytest.raises(GlassError, match="ended lost: there is no saddle"):
        _ = artn.saddle
    assert artn.run() is False
    assert artn.nsteps == 1


def test_log_reads_like_those_of_ase(slab: Atoms, tmp_path, capsys) -> None:
    artn = hop(slab, logfile=str(tmp_path / "artn.log"))
    start = slab.get_potential_energy()
    artn.run()
    head, first, *steps, last = (tmp_path / "artn.log").read_text().splitlines()
    assert head.split() == ["Step", "Time", "Phase", "Energy", "fmax", "Curvature", "Calls"]
    pattern = re.compile(r"ARTn: +(\d+) \d\d:\d\d:\d\d +(\w+) +(-?[\d.]+) +([\d.]+) +(nan|-?[\d.]+) +(\d+)$")
    rows = [pattern.match(line).groups() for line in (first, *steps)]
    assert [int(row[0]) for row in rows] == list(range(artn.nsteps + 1))
    assert rows[0][1] == "minimum"
    assert float(rows[0][2]) == pytest.approx(start, abs=1e-6)
    assert {row[1] for row in rows[1:]} == {"push", "climb", "sides"}
    assert last == f"ARTn: accepted, barrier {artn.barrier:.6f} eV, {artn.outcome.total_calls} force calls"
    assert capsys.readouterr().out == ""
    hop(slab_at(artn.minima[0]), logfile="-").run(steps=1)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_steps_observers_and_going_on(slab: Atoms, relaxed: Atoms) -> None:
    whole = hop(slab)
    whole.run(fmax=0.02)
    atoms = slab_at(relaxed)
    parts, seen = hop(atoms), []
    parts.attach(lambda: seen.append(atoms.positions.copy()))
    parts.insert_observer(lambda: None, interval=2)
    assert parts.run(fmax=0.02, steps=2) is False
    assert (parts.nsteps, parts.state) == (2, None)
    with pytest.raises(GlassError, match="has not ended after 2 steps"):
        _ = parts.saddle
    with pytest.raises(GlassError, match=r"began with fmax 0\.02, not 0\.1"):
        parts.run(fmax=0.1)
    results = list(parts.irun())
    assert results == [False] * (len(results) - 1) + [True]
    assert parts.get_number_of_steps() == whole.nsteps == len(seen) - 1
    np.testing.assert_array_equal(parts.atoms.positions, slab.positions)
    assert parts.barrier == whole.barrier
    np.testing.assert_array_equal(seen[0], relaxed.positions)


def test_a_calculator_that_fails_breaks_the_search_off(slab: Atoms) -> None:
    class Failing(EMT):
        left = 10

        def calculate(self, *args, **options) -> None:
            self.left -= 1
            if self.left == 0:
                raise ArithmeticError("no convergence")
            super().calculate(*args, **options)

    slab.calc = Failing()
    artn = hop(slab)
    with pytest.raises(ArithmeticError, match="no convergence"):
        artn.run(fmax=0.01)
    with pytest.raises(GlassError, match=r"broke off at step \d+, where its calculator failed.*make another ARTn"):
        artn.run(fmax=0.01)
    assert artn.state is None


def test_seed_decides(slab: Atoms, relaxed: Atoms) -> None:
    def ends(seed) -> np.ndarray:
        artn = ARTn(slab_at(relaxed), seed=seed, logfile=None)
        artn.run(steps=3)
        return artn.atoms.positions

    np.testing.assert_array_equal(ends(3), ends(3))
    np.testing.assert_array_equal(ends(np.random.default_rng(3)), ends(3))
    assert not np.allclose(ends(3), ends(4), atol=1e-3)


def test_context_manager_and_description(slab: Atoms) -> None:
    with hop(slab, settings="wang2020") as artn:
        artn.run(fmax=0.03, steps=1)
    content = json.loads(json.dumps(artn.todict()))
    assert (content["type"], content["optimizer"], content["fmax"]) == ("optimization", "ARTn", 0.03)
    assert content["settings"]["climb"]["force"] == 0.03
    assert content["settings"]["kick"]["atoms"] == "shell"


def test_relaxing_between_making_and_running(slab: Atoms) -> None:
    slab.positions[ADATOM] += 0.1
    artn = hop(slab)
    assert BFGS(slab, logfile=None).run(fmax=0.005)
    assert artn.run()


def test_mistakes(slab: Atoms) -> None:
    with pytest.raises(GlassError, match=r"unknown preset 'bauchy2042'.*Did you mean 'bauchy2024'"):
        ARTn(slab, settings="bauchy2042")
    assert ARTn(slab, settings={"climb": {"force": 0.03}}, logfile=None).settings.climb.force == 0.03
    with pytest.raises(GlassError, match=r"unknown setting 'forse'.*Did you mean 'force'"):
        ARTn(slab, settings={"climb": {"forse": 0.03}})
    with pytest.raises(GlassError, match="must be the name of a preset, ArtnSettings or a mapping, got 3"):
        ARTn(slab, settings=3)
    with pytest.raises(GlassError, match=r"unknown kick 'shel'.*Did you mean 'shell'"):
        ARTn(slab, kick="shel")
    with pytest.raises(GlassError, match="seed must be ≥ 0, got -1"):
        ARTn(slab, seed=-1)
    with pytest.raises(GlassError, match=r"fmax must be > 0 eV/Å, got -0\.1"):
        hop(slab).run(fmax=-0.1)
    slab.positions[ADATOM, 2] += 0.2
    with pytest.raises(GlassError, match=r"not at a minimum: the largest force is .* BFGS\(atoms\)\.run\(fmax=0\.01\)"):
        hop(slab).run()
    with pytest.raises(GlassError, match="no calculator"):
        ARTn(bulk("Cu", cubic=True), logfile=None).run()
    slab.set_constraint(FixBondLength(0, 1))
    with pytest.raises(GlassError, match="FixAtoms alone, got FixBondLength"):
        ARTn(slab)
    slab.set_constraint(FixAtoms(range(len(slab))))
    with pytest.raises(GlassError, match="none of the 19 atoms may move"):
        ARTn(slab)


KICKS = {
    "centre": {ADATOM},
    "radius": {9, 10, 12, 13, ADATOM},
    "shell": {9, 10, 12, 13, ADATOM},
    3.0: {9, 10, 12, 13, ADATOM},
    Kick(atoms="radius", radius=20.0): set(range(9, 19)),
}


@pytest.mark.parametrize("kick", KICKS, ids=str)
def test_kicks_around_a_centre(slab: Atoms, kick) -> None:
    moving = np.arange(9, 19)
    rng = np.random.default_rng(0)
    kicked = kick_direction(slab, moving, kick, ADATOM, Kick(radius=3.0), rng)
    places = slab.get_distances(ADATOM, moving, mic=True).argsort()
    assert np.linalg.norm(kicked) == pytest.approx(1.0)
    count = len(KICKS[kick])
    assert set(np.flatnonzero(kicked.any(axis=1))) == set(places[:count].tolist())


def test_kicks_by_atoms_and_direction(slab: Atoms) -> None:
    moving, rng = np.arange(9, 19), np.random.default_rng(0)

    def kicked(kick) -> list[int]:
        return np.flatnonzero(kick_direction(slab, moving, kick, None, Kick(), rng).any(axis=1)).tolist()

    assert kicked([18, 9]) == [0, 9]
    assert kicked(np.arange(19) > 16) == [8, 9]
    assert len(kicked(None)) >= 1
    direction = np.zeros((19, 3))
    direction[12, 1] = 2.0
    np.testing.assert_array_equal(kick_direction(slab, moving, direction, None, Kick(), rng), direction[9:])


@pytest.mark.parametrize(
    ("kick", "centre", "message"),
    [
        (5, None, r"a list of atoms \[5\] or a radius 5.0"),
        (-2.0, None, "radius of a kick must be > 0"),
        ([19], None, "atom 19 of the kick does not exist; the atoms are 0 … 18"),
        ([18], 3, "centre 3 plays no part"),
        (np.zeros((2, 3)), None, r"an array of float64 of shape \(2, 3\)"),
        ("centre", 0, "centre 0 is held by FixAtoms"),
        ("centre", 40, "atom 40 does not exist"),
        ("centre", -1, "atom -1 does not exist"),
        ([0, 1], None, "FixAtoms holds all atoms of the kick"),
        (np.ones((19, 3)), None, "kick moves atom 0, which FixAtoms holds"),
        (np.zeros((19, 3)), None, "kick must have a finite length"),
    ],
)
def test_kicks_that_are_none(slab: Atoms, kick, centre, message: str) -> None:
    with pytest.raises(GlassError, match=message):
        ARTn(slab, kick=kick, centre=centre, logfile=None).run(steps=1)


class Plain(Calculator):
    """A calculator without free energies."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        copy = atoms.copy()
        copy.calc = LennardJones(rc=20.0)
        self.results = {"energy": copy.get_potential_energy(), "forces": copy.get_forces()}


@pytest.mark.parametrize("calculator", [LennardJones(rc=20.0), Plain()], ids=["free energy", "energy alone"])
def test_surface_is_that_of_the_calculator(calculator: Calculator) -> None:
    atoms = Atoms("Ar4", [[0, 0, 0], [1.1, 0, 0], [0, 1.2, 0], [0.1, 0, 1.1]], calculator=calculator)
    atoms.set_constraint(FixAtoms([1]))
    before = atoms.positions.copy()
    surface = AseSurface(atoms)
    assert isinstance(surface, Surface)
    assert surface.moving_m.tolist() == [0, 2, 3]
    assert surface.freedom == "none"
    places = surface.start_mc + np.random.default_rng(0).normal(scale=0.05, size=(3, 3))
    energy, forces = surface.energy_forces(places)
    np.testing.assert_array_equal(atoms.positions, before)
    moved = surface.placed(places)
    moved.calc = LennardJones(rc=20.0)
    assert energy == pytest.approx(moved.get_potential_energy() - atoms.get_potential_energy(), abs=1e-12)
    np.testing.assert_allclose(forces, moved.get_forces()[[0, 2, 3]], atol=1e-12)
    step = 1e-5
    for atom, axis in ((0, 0), (1, 2), (2, 1)):
        shift = np.zeros((3, 3))
        shift[atom, axis] = step
        slope = (surface.energy_forces(places + shift)[0] - surface.energy_forces(places - shift)[0]) / (2 * step)
        assert -slope == pytest.approx(forces[atom, axis], abs=1e-6)


def test_freedom_follows_from_box_and_constraints() -> None:
    atoms = Atoms("Ar2", [[0, 0, 0], [1.1, 0, 0]], calculator=LennardJones())
    assert AseSurface(atoms).freedom == "rotation"
    assert AseSurface(atoms, "none").freedom == "none"
    atoms.set_cell([9, 9, 9])
    atoms.pbc = (True, False, False)
    assert AseSurface(atoms).freedom == "translation"
    with pytest.raises(GlassError, match=r"needs ase\.Atoms, got str"):
        AseSurface("atoms")
