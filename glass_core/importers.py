"""Files with labels, of whatever kind, into one data set."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from glass_core.dataset import Dataset, read_dataset
from glass_core.errors import GlassError
from glass_core.grouping import find_groups, given_groups
from glass_core.paths import AnyPath, is_file
from glass_core.pickles import PUBLIC_SPECIES, read_symgnn
from glass_core.species_map import SpeciesMap

Parts = Sequence[tuple[pathlib.Path, Dataset]]


def import_files(
    paths: Sequence[AnyPath], species: SpeciesMap | None = None, groups: Mapping[str, int] | None = None
) -> Dataset:
    """One data set from label files of ours, public pickles and other data sets, in any mixture.

    A configuration is named for its file, or as its data set names it. Labels that only some files have are nan for
    the others. ``source["files"]`` says of each configuration where it comes from: the hash of a pickle, potential and
    settings of our searches, or what its data set said.

    Args:
        paths: files.
        species: type in pickles, or name of a species in other files → species; by default types 1 and 2 of pickles are
            Cu and Zr.
        groups: name → group for configurations that belong together; by default those of one group of a data set stay
            together, and with them what comparing positions finds (``grouping.related``).

    Raises:
        GlassError: if there is no file, one cannot be read, two configurations have one name, a file has species that
            others do not know, or a group is missing.
    """
    parts = [(pathlib.Path(path), _read(pathlib.Path(path), species)) for path in paths]
    if not parts:
        raise GlassError("no files to import; give the paths of label files, pickles or data sets")
    _require_names(parts)
    known = _species(parts)
    configurations = [replace(c, structure=c.structure.with_species(known)) for _, part in parts for c in part]
    if groups is None:
        held = [(index, c.group) for index, (_, part) in enumerate(parts) for c in part]
        chosen = find_groups(configurations, held)
    else:
        chosen = given_groups(groups, [c.name for c in configurations])
    return Dataset(tuple(replace(c, group=chosen[c.name]) for c in configurations), _source(parts))


def _read(path: pathlib.Path, species: SpeciesMap | None) -> Dataset:
    """One file, told by its content."""
    import h5py

    from glass_core.campaign.export import read_label_data
    from glass_core.campaign.label_file import is_label_file

    if is_label_file(path):
        return read_label_data(path).renamed(species or {})
    if is_file(path) and h5py.is_hdf5(path):
        return read_dataset(path).renamed(species or {})
    return read_symgnn(path, PUBLIC_SPECIES if species is None else species)


def _require_names(parts: Parts) -> None:
    owners: dict[str, pathlib.Path] = {}
    for path, part in parts:
        for c in part:
            if c.name in owners:
                raise GlassError(
                    f"{path} and {owners[c.name]} both hold a configuration {c.name!r}; rename one of the files that "
                    "they are named for, or leave one out"
                )
            owners[c.name] = path


def _species(parts: Parts) -> tuple[str, ...]:
    """All species. One file must name those of all others, so that a numeric type is not taken for a species."""
    first, most = max(parts, key=lambda part: len(part[1].species))
    for path, part in parts:
        foreign = sorted(set(part.species) - set(most.species))
        if foreign:
            raise GlassError(
                f"{path} has the species {', '.join(foreign)}, which {first} does not ({', '.join(most.species)}); "
                "give a species map (-s 1=Cu,2=Zr), or import them into different data sets"
            )
    return most.species


def _source(parts: Parts) -> dict[str, Any]:
    formats = [name for _, part in parts for name in str(part.source.get("format", "data set")).split(", ")]
    files = {c.name: _origin(part, c.name) for _, part in parts for c in part}
    return {"format": ", ".join(dict.fromkeys(formats)), "files": files}


def _origin(part: Dataset, name: str) -> Any:
    """Where a configuration comes from; of a data set that does not tell, all that it says of itself."""
    files = part.source.get("files")
    if isinstance(files, Mapping) and name in files:
        return files[name]
    return {"data_set_sha256": part.sha256, "source": dict(part.source)}
