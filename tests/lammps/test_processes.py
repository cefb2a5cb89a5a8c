"""What only shows in a process of its own: exit status, MPI, threads, imports, the command line."""

from __future__ import annotations

import pathlib
import shutil
import sys

import pytest

from glass_core.model_file import SHIPPED
from lammps_hooks.__main__ import main
from lammps_hooks.include import include_text
from tests.lammps.boxes import SPECIES, box
from tests.lammps.conftest import Run

OPEN = f"""
from lammps_hooks import attach, open_lammps
lmp = open_lammps(["-log", "none", "-screen", "none"])
lmp.commands_list({box()!r})
"""


def test_importing_imports_no_host(python: Run) -> None:
    code = (
        "import sys, lammps_hooks, lammps_hooks.library, lammps_hooks.attachment, lammps_hooks.script\n"
        "print(sorted({'lammps', 'torch', 'numba', 'ase', 'ovito'} & set(sys.modules)))"
    )
    result = python(code)
    assert result.stdout == "[]\n", result.stderr


def test_unhandled_exception_gives_its_message_and_a_status(python: Run) -> None:
    pytest.importorskip("lammps")
    code = f"""{OPEN}
attach(lmp, species={SPECIES!r}, every=5)
import lammps_hooks.hook
def broken(*arguments):
    raise RuntimeError("the model broke")
lammps_hooks.hook.predict = broken
lmp.command("run 20")
print("never here")
"""
    result = python(code)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "RuntimeError: the model broke"
    assert "never here" not in result.stdout


def test_several_ranks_are_refused(python: Run) -> None:
    pytest.importorskip("lammps")
    launcher = shutil.which("mpiexec", path=str(pathlib.Path(sys.executable).parent))
    if launcher is None:
        pytest.skip("the mpiexec of the mpich wheel is not beside this Python")
    result = python(f"{OPEN}\nattach(lmp, species={SPECIES!r})\n", launcher, "-n", "2")
    assert result.returncode != 0
    assert "predictions inside LAMMPS work on 1 MPI rank, this run has 2" in result.stderr


def test_a_foreign_launcher_is_noticed(python: Run) -> None:
    pytest.importorskip("lammps")
    code = f"import os\nos.environ['OMPI_COMM_WORLD_SIZE'] = '4'\n{OPEN}\nattach(lmp, species={SPECIES!r})\n"
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert "the launcher started 4 processes, but this LAMMPS sees 1" in result.stderr


def test_torch_keeps_its_threads(python: Run) -> None:
    pytest.importorskip("lammps")
    pytest.importorskip("torch")
    code = f"import torch\ntorch.set_num_threads(2)\n{OPEN}\nprint(torch.get_num_threads())"
    assert python(code).stdout == "2\n"


def test_missing_mpi_gives_the_pip_line(python: Run) -> None:
    code = (
        "import sys\nsys.platform = 'linux'\nfrom lammps_hooks import library\n"
        "library._mpi_path = lambda: '/nowhere/libmpi.so.12'\nlibrary.prepare_mpi()"
    )
    result = python(code)
    assert result.returncode == 1
    assert "ImportError" not in result.stdout
    assert 'pip install "glass-plugins[lammps]"' in result.stderr


def test_preparing_mpi_twice_does_nothing(python: Run) -> None:
    pytest.importorskip("lammps")
    code = "from lammps_hooks.library import prepare_mpi\nprepare_mpi()\nprepare_mpi()\nimport lammps; lammps.lammps"
    assert python(code).returncode == 0


def test_include_file_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--species", "Cu", "Zr", "--every", "7"]) == 0
    text = capsys.readouterr().out
    assert "fix glass_run all python/invoke 7 end_of_step glass_step" in text
    assert "'Cu', 'Zr'" in text


def test_a_shipped_model_comes_before_a_file_of_its_name(tmp_path: pathlib.Path, monkeypatch) -> None:
    """As everywhere else, see ``glass_core.model_file.resolve``."""
    shutil.copy(SHIPPED / "scnn.safetensors", tmp_path / "barrier")
    shutil.copy(SHIPPED / "scnn.safetensors", tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    assert "model='barrier'" in include_text(SPECIES, model="barrier")
    assert f"model='{tmp_path / 'mine.safetensors'}'" in include_text(SPECIES, model="mine.safetensors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "barier"], "Did you mean 'barrier'"),
        (["--every", "0"], "every must be a number of steps ≥ 1, got 0"),
        (["--outputs", "bariere"], "Did you mean 'barrier'"),
        (["--outputs", "barrier", "barrier"], "outputs name 'barrier' twice"),
        (["--name", "my hook"], "name must be letters"),
    ],
)
def test_wrong_arguments_of_the_command_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["--species", "Cu", "Zr", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
