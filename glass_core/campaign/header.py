"""What all searches of a label file share: structure, potential, settings, seed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glass_core.campaign.digests import require_digest, settings_digest, structure_digest
from glass_core.errors import GlassError
from glass_core.saddle.settings import ArtnSettings
from glass_core.settings import NotNegative, Whole, conformed
from glass_core.structure import Floats, Structure, replace_fields

SCHEMA, VERSION = "glass-labels", 1
_SAME_PLACE = 1e-5  # Å; readers of one file differ by less
_CURE = "give the same one, or another name with -o"
_NONE = "none"  # JSON knows no infinite number
_ENTRIES = {
    "species": tuple[str, ...],
    "potential": Mapping[str, str],
    "settings": Mapping[str, Any],
    "settings_digest": str,
    "structure_digest": str,
    "seed": Whole,
    "source": Mapping[str, Any],
}


class NewerFileError(GlassError):
    """A file of a version that this one cannot read."""


def require_version(version: Any, where: str) -> None:
    """Checks the version of a label file or journal.

    Raises:
        GlassError: if it is newer than this package, or none.
    """
    if not isinstance(version, (int, np.integer)) or version < 1:
        raise GlassError(f"{where} has schema version {version!r}, must be 1 … {VERSION}; restore it from a copy")
    if version > VERSION:
        raise NewerFileError(f"{where} has schema version {version}, this version reads up to {VERSION}; upgrade")


@dataclass(frozen=True, eq=False)
class Header:
    """What all searches of a label file share.

    Attributes:
        structure: in which they were done: at a minimum.
        ids_n: identifiers of its atoms, shape (n,).
        potential: for people.
        potential_digest: hash of all that decides its energies.
        settings: of the searches.
        seed: of the campaign.
        given_nc: positions in the file that the campaign was started with; others than those of ``structure`` where
            that was relaxed. Å, shape (n, 3).
        source: plain values worth keeping: ``file``, ``versions`` of libraries …
        energy_n: of each atom of ``structure``, eV, shape (n,); None where the potential does not share out its energy,
            and in files from before there was this field.
        displacements: those of atoms that move further are kept for each event, Å; infinite for none. None in files
            from before there was this field.
    """

    structure: Structure
    ids_n: NDArray[np.int64]
    potential: str
    potential_digest: str
    settings: ArtnSettings
    seed: int
    given_nc: Floats
    source: Mapping[str, Any] = field(default_factory=dict)
    energy_n: Floats | None = None
    displacements: float | None = None

    @property
    def given(self) -> Structure:
        """The structure that the campaign was started with."""
        return replace_fields(self.structure, positions_nc=self.given_nc)

    def as_json(self) -> str:
        """All but the arrays."""
        content: dict[str, Any] = {
            "version": VERSION,
            "species": list(self.structure.species),
            "potential": {"name": self.potential, "digest": self.potential_digest},
            "settings": self.settings.as_dict(),
            "settings_digest": settings_digest(self.settings.as_dict()),
            "structure_digest": structure_digest(self.structure),
            "seed": self.seed,
            "source": dict(self.source),
        }
        if self.displacements is not None:
            content["displacements"] = self.displacements if math.isfinite(self.displacements) else _NONE
        return json.dumps(content)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays; rows of the cell that were not given are zero."""
        structure = self.structure
        energy = {} if self.energy_n is None else {"energy": self.energy_n}
        return {
            "positions": structure.positions_nc,
            "given_positions": self.given_nc,
            "types": structure.types_n,
            "cell": structure.cell_cc * np.array(structure.given)[:, None],
            "pbc": np.array(structure.pbc),
            "ids": self.ids_n,
            **energy,
        }

    @classmethod
    def from_parts(cls, text: str, arrays: Mapping[str, NDArray[Any]], where: str) -> Header:
        """The header again.

        Raises:
            GlassError: if something is missing, damaged, altered, or of a newer version; ``where`` is the file.
        """
        try:
            content = json.loads(text)
            require_version(content["version"], where)
            parts = {key: conformed(content[key], hint, key) for key, hint in _ENTRIES.items()}
            structure = Structure(
                arrays["positions"], arrays["types"], parts["species"], arrays["cell"], arrays["pbc"].tolist()
            )
            require_digest("its settings", parts["settings_digest"], settings_digest(parts["settings"]))
            require_digest("its positions, species or box", parts["structure_digest"], structure_digest(structure))
            energy = arrays.get("energy")
            if energy is not None and energy.shape != (structure.n_atoms,):
                raise ValueError(f"energy has shape {energy.shape}, must have ({structure.n_atoms},)")
            return cls(
                structure, arrays["ids"].astype(np.int64), parts["potential"]["name"], parts["potential"]["digest"],
                ArtnSettings.from_dict(parts["settings"]), parts["seed"], arrays["given_positions"], parts["source"],
                energy, _displacements(content),
            )  # fmt: skip
        except NewerFileError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GlassError(f"header of {where} is damaged: {error}; restore the file from a copy") from error

    def completed(self, other: Header) -> Header:
        """The same with the energies of another header of this minimum, if it has none of its own."""
        if self.energy_n is not None or other.energy_n is None:
            return self
        here = np.array_equal(self.structure.positions_nc, other.structure.positions_nc)
        return replace(self, energy_n=other.energy_n) if here else self

    def require_same(self, other: Header, where: str) -> None:
        """Checks that searches of another campaign may stand beside ours.

        Args:
            other: of the campaign that is to go on.
            where: the label file of ours.

        Raises:
            GlassError: naming what differs.
        """
        self.require_structure(other.given, where)
        if self.potential_digest != other.potential_digest:
            raise GlassError(
                f"{where} was made with the potential {self.potential} ({self.potential_digest[:12]}), not with "
                f"{other.potential} ({other.potential_digest[:12]}); {_CURE}"
            )
        changed = _differences(self.settings.as_dict(), other.settings.as_dict())
        if changed:
            name, (ours, theirs) = next(iter(changed.items()))
            more = f" ({len(changed)} settings differ)" if len(changed) > 1 else ""
            written = ours if isinstance(ours, str) else json.dumps(ours)
            cure = f"go on with --set {name}={written}" if len(changed) == 1 else "give the same ones"
            raise GlassError(
                f"{where} was made with {name} = {ours}, not {theirs}{more}; {cure}, or another name with -o"
            )
        if self.seed != other.seed:
            raise GlassError(f"{where} was made with seed {self.seed}, not {other.seed}; {_CURE}")
        self._require_displacements(other.displacements, where)

    def _require_displacements(self, asked: float | None, where: str) -> None:
        """Events with displacements and without, or with others, cannot be told apart."""
        kept = self.displacements
        if kept is None or asked is None or math.isclose(kept, asked):
            return
        ours, theirs = ("none" if math.isinf(least) else f"those above {least:.10g} Å" for least in (kept, asked))
        cure = "--no-displacements" if math.isinf(kept) else f"--displacements {kept:.10g}"
        raise GlassError(
            f"{where} keeps {ours} of the displacements, not {theirs}; go on with {cure}, or another name with -o"
        )

    def require_structure(self, given: Structure, where: str) -> None:
        """Checks that a structure is the one that the file was begun with, within what readers round.

        Raises:
            GlassError: naming what differs.
        """
        ours = self.given
        if ours.n_atoms != given.n_atoms:
            raise GlassError(f"{where} belongs to a structure of {ours.n_atoms} atoms, not {given.n_atoms}; {_CURE}")
        mine, theirs = ours.symbols(), given.symbols()
        other = np.flatnonzero(mine != theirs)
        if other.size:
            k = int(other[0])
            raise GlassError(f"{where} belongs to a structure whose atom {k} is {mine[k]}, not {theirs[k]}; {_CURE}")
        if ours.pbc != given.pbc or not np.allclose(ours.cell_cc, given.cell_cc, rtol=0, atol=_SAME_PLACE):
            raise GlassError(f"{where} belongs to a structure in another box, {ours.cell_cc.tolist()}; {_CURE}")
        apart = ours.positions_nc - given.positions_nc
        turns = np.round(apart @ np.linalg.inv(ours.cell_cc)) * np.array(ours.pbc)
        far = np.linalg.norm(apart - turns @ ours.cell_cc, axis=1)
        if far.size and far.max() > _SAME_PLACE:
            raise GlassError(
                f"{where} belongs to another structure: atom {far.argmax()} lies {far.max():.2g} Å from its place "
                f"there; {_CURE}"
            )


def _displacements(content: Mapping[str, Any]) -> float | None:
    """From where on displacements are kept, if a header tells."""
    stored = content.get("displacements")
    return math.inf if stored == _NONE else conformed(stored, NotNegative | None, "displacements")


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Settings that differ, by dotted name."""
    found: dict[str, tuple[Any, Any]] = {}
    for key, value in ours.items():
        if isinstance(value, Mapping):
            found |= _differences(value, theirs[key], f"{prefix}{key}.")
        elif value != theirs[key]:
            found[prefix + key] = (value, theirs[key])
    return found
