"""Label files, pickles and data sets in one data set: names, groups, species, fields, where they come from."""

from __future__ import annotations

import json
import pathlib
from dataclasses import replace

import numpy as np
import pytest

from glass_core.campaign.label_hdf5 import write_hdf5
from glass_core.campaign.labels import Labels
from glass_core.cli.main import main
from glass_core.dataset import Configuration, Dataset, read_dataset, write_dataset
from glass_core.errors import GlassError
from glass_core.evaluation import trained_on
from glass_core.grouping import find_groups, related
from glass_core.importers import import_files
from glass_core.model_file import load_model
from glass_core.species_map import parse_type_names
from glass_core.structure import Structure
from glass_core.testing import example_glass
from glass_core.training import run as training
from tests.campaign.conftest import labels_of
from tests.campaign.fakes import fake_header
from tests.training.conftest import labelled
from tests.training.quick import config
from tests.training.test_pickles import content, write


def other_glass() -> Structure:
    return example_glass(("Cu", "Zr"), cells=3, seed=7)


def label_file(path: pathlib.Path, structure: Structure, searched: int = 20, energy: bool = True) -> pathlib.Path:
    """Searches around the first atoms."""
    everything = labels_of(structure, 4).table
    last = int(np.searchsorted(everything.rows_r["atom"], searched))
    d = everything.offsets[last]
    moved = (getattr(everything, name)[:d] for name in ("moved_d", "saddle_dc", "final_dc"))
    table = type(everything)(everything.rows_r[:last], everything.offsets[: last + 1], *moved)
    n = structure.n_atoms
    header = replace(fake_header(structure), energy_n=np.linspace(-5, -4, n) if energy else None)
    write_hdf5(Labels(header, table), path)
    return path


@pytest.fixture
def files(tmp_path: pathlib.Path) -> list[pathlib.Path]:
    """A label file, a pickle, and a data set of two configurations that it holds together."""
    data = Dataset(
        tuple(labelled(seed, 5) for seed in (1, 2)), {"format": "mine", "files": {"glass1": "abc"}}, "f" * 64
    )
    write_dataset(data, tmp_path / "data.h5")
    pickle = write(tmp_path / "public.pickle", content())
    return [label_file(tmp_path / "ours.h5", other_glass()), pickle, tmp_path / "data.h5"]


def test_any_mixture_becomes_one_data_set(tmp_path: pathlib.Path, files: list[pathlib.Path]) -> None:
    write_dataset(import_files(files), tmp_path / "all.h5")
    dataset = read_dataset(tmp_path / "all.h5")
    assert [(c.name, c.group) for c in dataset] == [("ours", 0), ("public", 1), ("glass1", 2), ("glass2", 2)]
    ours, public, glass1, _ = dataset
    assert set(ours.labels) > {"barrier", "barrier_error", "searches", "energy"}
    assert [sorted(c.labels) for c in (public, glass1)] == [["barrier", "energy"], ["barrier"]]
    np.testing.assert_array_equal(ours.label("energy"), np.linspace(-5, -4, 108))
    assert ours.labelled("barrier")[0].max() < 20
    np.testing.assert_array_equal(glass1.label("barrier"), labelled(1, 0).label("barrier"))
    np.testing.assert_array_equal(public.structure.positions_nc, content()["positions"])


def test_every_configuration_keeps_where_it_comes_from(tmp_path: pathlib.Path, files: list[pathlib.Path]) -> None:
    source = import_files(files).source
    assert source["format"] == "glass-labels, SymGNN pickles, mine"
    ours, public, glass1, glass2 = (source["files"][name] for name in ("ours", "public", "glass1", "glass2"))
    assert ours["potential"] == "fake"
    assert ours["settings"]["climb"]["force"] == 0.05
    assert public == import_files(files[1:2]).source["files"]["public"]
    assert glass1 == "abc"
    assert glass2["source"]["format"] == "mine"
    assert len(glass2["data_set_sha256"]) == 64
    write_dataset(import_files(files), tmp_path / "all.h5")
    assert import_files([tmp_path / "all.h5"]).source == json.loads(json.dumps(source))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_data_set_in_parts_is_the_data_set_at_once(
    tmp_path: pathlib.Path, files: list[pathlib.Path], order: tuple[int, ...]
) -> None:
    chosen = [files[k] for k in order]
    write_dataset(import_files(chosen[:2]), tmp_path / "first.h5")
    write_dataset(import_files([tmp_path / "first.h5", chosen[2]]), tmp_path / "parts.h5")
    write_dataset(import_files(chosen), tmp_path / "once.h5")
    assert (tmp_path / "parts.h5").read_bytes() == (tmp_path / "once.h5").read_bytes()


def test_equal_names_are_refused_with_both_files(tmp_path: pathlib.Path, files: list[pathlib.Path]) -> None:
    (tmp_path / "b").mkdir()
    again = label_file(tmp_path / "b" / "ours.h5", other_glass())
    with pytest.raises(GlassError, match=r"b/ours.h5 and .*/ours.h5 both hold a configuration 'ours'; rename one"):
        import_files([*files, again])
    with pytest.raises(GlassError, match=r"both hold a configuration 'ours'"):
        import_files([files[0], files[0]])
    with pytest.raises(GlassError, match="no files to import"):
        import_files([])


def test_species_that_no_file_names_together_are_refused(tmp_path: pathlib.Path, files: list[pathlib.Path]) -> None:
    glass = other_glass()
    numeric = replace_species(glass, ("1", "2"))
    with pytest.raises(GlassError, match=r"n.h5 has the species 1, 2, which .*ours.h5 does not \(Cu, Zr\); .*-s 1=Cu"):
        import_files([*files, label_file(tmp_path / "n.h5", numeric)])
    turned = replace_species(glass.subset(np.arange(60)), ("Zr", "Cu"))
    pure = Structure(glass.positions_nc[:40], np.zeros(40, int), ("Zr",), glass.cell_cc, True)
    more = [label_file(tmp_path / "t.h5", turned), label_file(tmp_path / "p.h5", pure)]
    by_name = {c.name: c.structure for c in import_files([*files, *more])}
    assert {s.species for s in by_name.values()} == {("Cu", "Zr")}
    np.testing.assert_array_equal(by_name["t"].symbols(), turned.symbols())
    assert set(by_name["p"].symbols().tolist()) == {"Zr"}


def test_names_of_species_in_any_file_can_be_mended(tmp_path: pathlib.Path, files: list[pathlib.Path]) -> None:
    labels = label_file(tmp_path / "n.h5", replace_species(other_glass(), ("1", "2")))
    data = tmp_path / "lower.h5"
    lower = labelled(3, 0)
    write_dataset(Dataset((replace(lower, structure=replace_species(lower.structure, ("cu", "zr"))),)), data)
    named = import_files([*files, labels, data], parse_type_names("1=Cu,2=Zr,cu=Cu,zr=Zr"))
    assert named.species == ("Cu", "Zr")
    for c, glass in zip(named.configurations[-2:], (other_glass(), lower.structure), strict=True):
        assert c.structure.symbols().tolist() == [("Cu", "Zr")[t] for t in glass.types_n]
    one = import_files([labels], {"1": "Cu", "2": "Cu"})
    assert one.species == ("Cu",)
    assert one.configurations[0].structure.types_n.max() == 0
    for wrong in ("Cu,Zr,", "1,2", "Cu Zr"):
        with pytest.raises(GlassError, match="species must read like Cu,Zr"):
            parse_type_names(wrong)


def replace_species(structure: Structure, names: tuple[str, str]) -> Structure:
    return Structure(structure.positions_nc, structure.types_n, names, structure.cell_cc, structure.pbc)


def test_groups_are_found(tmp_path: pathlib.Path) -> None:
    first, other = content(1), content(2)
    other["types"] = first["types"]
    relabelled = {**first, "positions": first["positions"] + np.random.default_rng(3).normal(0, 0.02, (64, 3)) + 12.0}
    strained = {**other, "positions": other["positions"] * [1.04, 1, 1], "box": np.array([12.48, 12, 12], np.float32)}
    files = [
        write(tmp_path / f"{n}.pickle", c) for n, c in zip("abcd", (first, other, relabelled, strained), strict=True)
    ]
    assert [c.group for c in import_files(files)] == [0, 1, 0, 1]
    assert [c.group for c in import_files(files, groups={"a": 5, "b": 5, "c": 1, "d": 2})] == [5, 5, 1, 2]
    with pytest.raises(GlassError, match="configuration 'd' has no group"):
        import_files(files, groups={"a": 0, "b": 0, "c": 0})
    with pytest.raises(GlassError, match="unknown configuration with a group 'typo'"):
        import_files(files, groups={"a": 0, "b": 0, "c": 0, "d": 1, "typo": 3})


def test_groups_of_a_data_set_are_joined_by_what_comes_to_them(tmp_path: pathlib.Path) -> None:
    """Our labels of a public glass stand beside the public ones."""
    pickle = write(tmp_path / "public.pickle", content())
    structure = import_files([pickle]).configurations[0].structure
    write_dataset(import_files([pickle, label_file(tmp_path / "far.h5", other_glass())]), tmp_path / "data.h5")
    dataset = import_files([tmp_path / "data.h5", label_file(tmp_path / "ours.h5", structure)])
    assert {c.name: c.group for c in dataset} == {"public": 0, "far": 1, "ours": 0}
    write_dataset(import_files([tmp_path / "data.h5"], groups={"public": 3, "far": 3}), tmp_path / "one.h5")
    assert [c.group for c in import_files([tmp_path / "one.h5", tmp_path / "ours.h5"])] == [0, 0, 0]


def test_a_glass_in_another_order_is_known_by_its_identifiers() -> None:
    glass = labelled(1, 0)
    order = np.random.default_rng(0).permutation(256)
    shuffled = Configuration("shuffled", 0, glass.structure.subset(order), glass.ids_n[order])
    assert related(glass, shuffled)
    assert not related(glass, replace(shuffled, ids_n=np.arange(256)))
    assert not related(glass, labelled(2, 0))
    assert find_groups([glass, labelled(2, 0), shuffled], "abc") == {"glass1": 0, "glass2": 1, "shuffled": 0}


def test_the_public_files_have_five_groups(shared_data: pathlib.Path) -> None:
    dataset = import_files(sorted((shared_data / "symgnn").glob("*.pickle")))
    assert [c.group for c in dataset] == [0, 0, 1, 2, 3, 4, 4]


def test_the_public_files_give_the_data_set_that_models_were_trained_on(shared_data: pathlib.Path) -> None:
    """Or folds kept from before would belong to another one."""
    dataset = import_files(sorted((shared_data / "symgnn").glob("*.pickle")))
    assert dataset.source == load_model("barrier").card.content["training"]["source"]
    assert {label for c in dataset for label in c.labels} == {"barrier", "energy"}


def test_memory_of_a_label_file_outlasts_more_searches(tmp_path: pathlib.Path) -> None:
    structures = [example_glass(("Cu", "Zr"), cells=3, seed=seed) for seed in (7, 8, 9)]
    files = [label_file(tmp_path / f"g{k}.h5", s, searched=80) for k, s in enumerate(structures)]
    training.train(config("ridge"), import_files(files), tmp_path / "m.safetensors")
    longer = label_file(tmp_path / "renamed.h5", structures[1], searched=100)
    far = label_file(tmp_path / "far.h5", example_glass(("Cu", "Zr"), cells=3, seed=4))
    assert trained_on(load_model(tmp_path / "m.safetensors"), import_files([longer, far])) == ["renamed"]


def test_import_command(tmp_path: pathlib.Path, files: list[pathlib.Path], capsys: pytest.CaptureFixture[str]) -> None:
    no_barrier = Dataset((Configuration("bare", 0, example_glass(("Cu",)), np.arange(108)),))
    write_dataset(no_barrier, tmp_path / "bare.h5")
    arguments = ["import", *map(str, files), str(tmp_path / "bare.h5"), "-o", str(tmp_path / "all.h5")]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["configurations"]
    assert [(r["name"], r["atoms"], r["labelled"]) for r in rows][1:] == [
        ("public", 64, 64), ("glass1", 256, 256), ("glass2", 256, 256), ("bare", 108, 0),
    ]  # fmt: skip
    assert rows[-1]["mean_ev"] is None
    assert main(arguments) == 0
    assert "note: atoms without a label are neighbours alone; training and scores use the others" in (
        capsys.readouterr().out
    )
    assert main([*arguments[:-1], str(files[2])]) == 2
    assert "it is the input" in capsys.readouterr().err
