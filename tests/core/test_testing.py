"""The shipped checks catch what they are for: each is given a plugin that breaks just that rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from glass_core import GlassError, PerAtom, Structure
from glass_core.descriptors.scnn import SCNNDescriptor
from glass_core.models.scnn import SCNN
from glass_core.neighbours import find_neighbours, neighbour_blocks
from glass_core.structure import replace_fields
from glass_core.testing import CheckError, check_descriptor, check_model, example_glass, ghost_cluster
from tests.core.small_models import small_scnn


@dataclass(frozen=True)
class Counting:
    """A sound descriptor: neighbours of each species within the cutoff; ``fault`` breaks it."""

    kind: ClassVar[str] = "counting"

    fault: str = ""
    species: tuple[str, ...] = ("Cu", "Zr")
    cutoff: float = 3.7

    def __post_init__(self) -> None:
        if self.fault == "settings":
            object.__setattr__(self, "cutoff", self.cutoff - 0.5)

    @property
    def receptive_field(self) -> float:
        return 2.0 if self.fault == "receptive_field" else self.cutoff

    def names(self) -> list[str]:
        return ["same", "same"] if self.fault == "names" else list(self.species)

    @property
    def bytes_per_atom(self) -> float:
        return 16.0

    def __call__(self, structure: Structure, centres: Any = None, find: Any = neighbour_blocks, dtype: Any = float):
        wanted = np.arange(structure.n_atoms) if centres is None else np.asarray(centres)
        out = np.zeros((structure.n_atoms, 2), float if self.fault == "dtype" else dtype)
        for rows, counts in self._blocks(structure, np.unique(wanted).astype(np.int32), find):
            out[rows] = counts
        return out if self.fault == "centres" else out[wanted]

    def _blocks(self, structure: Structure, centres: Any, find: Any) -> Iterator:
        known = structure if self.fault == "species" else structure.with_species(self.species)
        if self.fault == "wrapping":  # minimum image only where atoms lie inside the box
            known = replace_fields(known, pbc=(False,) * 3)
        if self.fault == "edges":
            find = neighbour_blocks
        for block in find(known, self.cutoff, centres):
            counts = np.zeros((len(block.centres_m), 2))
            weight = np.abs(block.vectors_pc[:, 0]) if self.fault == "rotation" else np.ones(len(block.j_p))
            if self.fault == "permutation":
                weight = weight * (block.i_p < block.j_p)
            rows = np.repeat(np.arange(len(counts)), np.diff(block.offsets))
            np.add.at(counts, (rows, known.types_n[block.j_p] % 2), weight)
            if self.fault == "single":
                counts /= counts.sum(axis=1, keepdims=True) if len(counts) == 1 else 1
            if self.fault == "translation":
                counts[:, 0] += known.positions_nc[block.centres_m, 0]
            if self.fault == "supercell":
                counts[:, 0] += known.n_atoms
            yield block.centres_m, counts


# fault → the first check that meets it
FAULTS = {
    "rotation": "rotation",
    "translation": "rotation",
    "permutation": "permutation",
    "wrapping": "wrapping",
    "supercell": "supercell",
    "centres": "centres",
    "receptive_field": "ghosts",
    "species": "unknown_species",
    "names": "names",
    "edges": "edges",
    "dtype": "dtype",
    "single": "centres",
    "settings": "settings",
}


def test_a_sound_descriptor_passes() -> None:
    done = check_descriptor(Counting())
    assert done[0] == "finite"
    assert done[-1] == "settings"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_each_fault_is_found(fault: str) -> None:
    with pytest.raises(CheckError, match=f"check '{FAULTS[fault]}' failed for descriptor 'counting'"):
        check_descriptor(Counting(fault))


@pytest.mark.parametrize("fault", ["translation", "wrapping", "receptive_field"])
def test_the_check_of_that_name_finds_it_too(fault: str) -> None:
    from glass_core.testing import DESCRIPTOR_CHECKS

    others = [name for name in DESCRIPTOR_CHECKS if name != fault]
    with pytest.raises(CheckError, match=f"check '{fault}' failed"):
        check_descriptor(Counting(fault), skip=others)


def test_checks_are_skipped_by_name() -> None:
    assert "dtype" not in check_descriptor(Counting("dtype"), skip=("dtype",))
    with pytest.raises(GlassError, match=r"unknown check 'dtypes'.*Did you mean 'dtype'"):
        check_descriptor(Counting(), skip=("dtypes",))


def test_messages_hold_the_numbers() -> None:
    with pytest.raises(CheckError, match=r"rotation changes Cu of row \d+ from [\d.]+ to [\d.]+ \(difference"):
        check_descriptor(Counting("rotation"))


def test_something_else_is_no_descriptor() -> None:
    with pytest.raises(CheckError, match=r"str lacks kind, species, cutoff, .*, __call__"):
        check_descriptor("scnn")  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Faulty(SCNN):
    """A sound model; ``fault`` breaks it."""

    fault: str = ""

    @property
    def outputs(self) -> dict[str, str]:
        return {**super().outputs, **({"logit": "eV"} if self.fault == "table" else {})}

    def __call__(self, structure: Structure, centres: Any = None, find: Any = neighbour_blocks, progress: Any = None):
        result = super().__call__(structure, centres, find=find, progress=progress)
        logit = result["logit"].values
        if self.fault == "more":
            result["more"] = result["logit"]
        if self.fault == "unit":
            result["logit"] = PerAtom(logit, "eV")
        if self.fault == "short":
            result["logit"] = PerAtom(logit[:-1], "")
        if self.fault == "chunks" and centres is not None and len(centres) < structure.n_atoms // 2:
            result["logit"] = PerAtom(logit + len(centres) / 7, "")
        if self.fault == "progress" and progress:
            progress(0.5)
        return result

    def tensors(self) -> Any:
        arrays = dict(super().tensors())
        return {**arrays, "mean_f": arrays["mean_f"] + 1} if self.fault == "file" else arrays


def faulty(fault: str) -> Faulty:
    sound = small_scnn(cutoff=3.5)
    return Faulty(**{field.name: getattr(sound, field.name) for field in fields(sound)}, fault=fault)


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("more", "outputs"),
        ("unit", "outputs"),
        ("short", "outputs"),
        ("table", "outputs"),
        ("chunks", "centres"),
        ("progress", "progress"),
        ("file", "file"),
    ],
)
def test_faults_of_models_are_found(fault: str, check: str) -> None:
    with pytest.raises(CheckError, match=f"check '{check}' failed for model 'scnn'"):
        check_model(faulty(fault))


def test_a_model_without_fault_passes() -> None:
    assert check_model(faulty(""))


def test_example_glass_is_the_same_for_the_same_seed() -> None:
    one, two = example_glass(("Cu", "Zr"), seed=5), example_glass(("Cu", "Zr"), seed=5)
    assert np.array_equal(one.positions_nc, two.positions_nc)
    assert np.array_equal(one.types_n, two.types_n)
    assert find_neighbours(one, 4.0).distances_p.min() > 1.0


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True), (False, False, False)])
def test_ghost_cluster_has_every_neighbour(pbc: tuple[bool, bool, bool]) -> None:
    whole = example_glass(("Cu", "Zr"), cells=2)
    structure = replace_fields(whole, positions_nc=whole.positions_nc + 40.0, pbc=pbc)
    cluster, owned = ghost_cluster(structure, 6.0)
    assert cluster.pbc == (False, False, False)
    expected, found = find_neighbours(structure, 6.0), find_neighbours(cluster, 6.0, owned)
    assert np.array_equal(expected.offsets, found.offsets)
    np.testing.assert_allclose(np.sort(expected.distances_p), np.sort(found.distances_p), atol=1e-9)


def test_structures_in_other_units_are_given_by_the_caller() -> None:
    reduced = example_glass(("A", "B"), spacing=1.1)
    check_descriptor(replace(SCNNDescriptor(("A", "B"), cutoff=1.9), shells=1), reduced)
