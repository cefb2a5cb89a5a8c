"""Model files: what is written, what is refused, and that a good file is never lost."""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from glass_core import GlassError, Structure, load_model, model_file
from glass_core.model_file import read_card, save_model
from glass_core.models.base import DescriptorModel
from tests.core.small_models import changed, small_barrier, small_scnn


@pytest.fixture
def saved(tmp_path: pathlib.Path, model: DescriptorModel) -> pathlib.Path:
    path = tmp_path / "small.safetensors"
    save_model(model, path, {"scores": {"auc": 0.8}})
    return path


def rewrite(path: pathlib.Path, arrays: dict[str, np.ndarray | None] | None = None, **changes: object) -> None:
    """Arrays and card of the file with changes (None removes an entry)."""
    card = {k: v for k, v in (read_card(path) | changes).items() if v is not None}
    kept = {k: v for k, v in (load_file(path) | (arrays or {})).items() if v is not None}
    save_file(kept, path, metadata={"glass": json.dumps(card)})


def with_setting(path: pathlib.Path, name: str, value: object) -> None:
    """The same file with another setting, or ``descriptor.name``."""
    settings = read_card(path)["settings"]
    within, _, key = name.rpartition(".")
    (settings[within] if within else settings)[key] = value
    rewrite(path, settings=settings)


def test_card_tells_what_the_model_is(saved: pathlib.Path, model: DescriptorModel) -> None:
    card = read_card(saved)
    assert card["format"] == 1
    assert card["kind"] == "scnn"
    assert card["species"] == ["Cu", "Zr"]
    assert card["cutoff"] == 4.0
    assert card["receptive_field"] == 8.0
    assert card["outputs"] == model.outputs
    assert card["scores"] == {"auc": 0.8}
    assert card["settings"]["descriptor"]["kind"] == "scnn"


def test_loaded_equals_saved(any_model: DescriptorModel, glass: Structure, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "again.safetensors"
    save_model(any_model, path)
    again = load_model(path)
    assert again.card.name == "again"
    assert again.card.path == str(path)
    assert len(again.card.sha256) == 64
    assert again.settings() == any_model.settings()
    assert set(again.tensors()) == set(any_model.tensors())
    expected = any_model(glass)
    for name, out in again(glass, None).items():
        np.testing.assert_allclose(out.values, expected[name].values, rtol=1e-6, atol=1e-7)


def test_saving_a_loaded_model_gives_the_same_bytes(saved: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other.safetensors"
    save_model(load_model(saved), other, {"scores": {"auc": 0.8}})
    assert other.read_bytes() == saved.read_bytes()


def test_a_file_is_loaded_once(saved: pathlib.Path) -> None:
    assert load_model(saved) is load_model(str(saved))


def test_a_changed_file_is_loaded_again(saved: pathlib.Path, model: DescriptorModel) -> None:
    before = load_model(saved)
    save_model(changed(model), saved)
    after = load_model(saved)
    assert after is not before
    np.testing.assert_allclose(after.tensors()["mean_f"], before.tensors()["mean_f"] + 0.5)


def test_a_changed_file_of_equal_size_and_time_is_loaded_again(saved: pathlib.Path, model: DescriptorModel) -> None:
    before = load_model(saved)
    stat = saved.stat()
    save_model(changed(model), saved, {"scores": {"auc": 0.8}})
    os.utime(saved, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert saved.stat().st_size == stat.st_size
    assert load_model(saved).card.sha256 != before.card.sha256


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved: pathlib.Path, keep: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(GlassError, match="is not a readable safetensors file"):
        load_model(saved)


def test_a_pickle_is_refused_and_not_read(tmp_path: pathlib.Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (pathlib.Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "trap.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(GlassError, match="is not a readable safetensors file"):
        load_model(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"glass": "no json"}, {"glass": "[]"}, {"glass": "{}"}])
def test_foreign_safetensors_are_refused(tmp_path: pathlib.Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3)}, path, metadata=metadata)
    with pytest.raises(GlassError, match="has no glass model card"):
        load_model(path)


@pytest.mark.parametrize("key", ["format", "kind", "settings", "species", "outputs"])
def test_a_card_without_a_needed_entry_is_refused(saved: pathlib.Path, key: str) -> None:
    rewrite(saved, **{key: None})
    with pytest.raises(GlassError, match="has no glass model card"):
        load_model(saved)


def test_a_newer_format_names_the_cure(saved: pathlib.Path) -> None:
    rewrite(saved, format=2)
    with pytest.raises(GlassError, match=r"has model format 2, this version reads up to 1; upgrade"):
        load_model(saved)


def test_an_unknown_kind_offers_the_nearest(saved: pathlib.Path) -> None:
    rewrite(saved, kind="scn")
    with pytest.raises(GlassError, match=r"unknown model class 'scn'.*Did you mean 'scnn'"):
        load_model(saved)


def test_every_missing_array_is_noticed(saved: pathlib.Path) -> None:
    arrays, card = load_file(saved), json.dumps(read_card(saved))
    for name in arrays:
        rest = {key: array for key, array in arrays.items() if key != name}
        save_file(rest, saved, metadata={"glass": card})
        with pytest.raises(GlassError, match=f"is not a complete scnn model .*{name}"):
            load_model(saved)


def test_a_missing_setting_is_noticed(saved: pathlib.Path) -> None:
    settings = read_card(saved)["settings"]
    del settings["activation"]
    rewrite(saved, settings=settings)
    with pytest.raises(GlassError, match=r"is not a complete scnn model .*activation"):
        load_model(saved)


@pytest.mark.parametrize(
    ("build", "name", "change", "message"),
    [
        (small_scnn, "mean_f", lambda a: a * np.nan, "array mean_f holds .* not finite"),
        (small_scnn, "mean_f", lambda a: a.astype(np.int32), "mean_f must be .* floating point numbers, got int32"),
        (small_scnn, "mean_f", lambda a: a[:-1], "mean_f must be "),
        (small_scnn, "std_f", lambda a: a * 0, "std_f must be > 0"),
        (small_scnn, "layer1.weight", lambda a: a[:, :-1], r"layer1\.weight must be any × 16 "),
        (small_scnn, "layer0.bias", lambda a: a[:-1], r"layer0\.bias must be 16 "),
        (small_scnn, "constraints_vz", lambda a: a[:, :3], "constraints_vz must be any × 8 "),
        (small_scnn, "classifier_cv", lambda a: a[:1], "classifier_cv must be 2 × 4 "),
        (small_scnn, "domain_limits", lambda a: np.append(a, 1.0), "domain_limits must be 2 "),
        (small_scnn, "domain_limits", lambda a: a * np.nan, "array domain_limits holds 2 numbers"),
        (small_scnn, "domain_scales_k", lambda a: -a, "deviations of domain must be > 0"),
        (
            small_barrier,
            "member1.layer1.weight",
            lambda a: np.repeat(a, 2, 0),
            r"member1\.layer1\.weight must be 1 × 8 ",
        ),
        (small_barrier, "member7.layer0.bias", lambda a: np.zeros(3), "'member7.layer0.bias' belongs to no part"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: pathlib.Path, build, name, change, message) -> None:
    path = tmp_path / "m.safetensors"
    save_model(build(), path)
    rewrite(path, {name: change(load_file(path).get(name))})
    with pytest.raises(GlassError, match=f"m.safetensors is not a valid .* model: .*{message}"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("members", 0, "members must be ≥ 1, got 0"),
        ("members", -1, "members must be ≥ 1, got -1"),
        ("members", 9, r"member3\.layer0 is missing"),
        ("members", "x", "members must be a whole number, got 'x'"),
        ("centre", None, "centre must be a number, got None"),
        ("centre", float("nan"), "centre must be finite, got nan"),
        ("activation", "tanh", "activation must be 'relu' or 'silu', got 'tanh'"),
        ("sharpness", 3, "setting 'sharpness' belongs to no part of it"),
        ("descriptor", [], "descriptor must hold keys and values"),
        ("descriptor.n_max", 2.5, "n_max in descriptor must be a whole number, got 2.5"),
        ("descriptor.n_max", 4, "mean_f must be "),
        ("descriptor.species", "CuZr", "species in descriptor must be a list, got 'CuZr'"),
        ("descriptor.species", ["Zr", "Cu"], r"its card says species \['Cu', 'Zr'\], its settings make .*'Zr', 'Cu'"),
        ("descriptor.cutoff", 4.5, r"its card says cutoff 3\.8, its settings make cutoff 4\.5"),
        ("descriptor.rcut", 3.8, "unknown key in descriptor 'rcut'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: pathlib.Path, name: str, value: object, message: str) -> None:
    path = tmp_path / "m.safetensors"
    save_model(small_barrier(), path)
    with_setting(path, name, value)
    with pytest.raises(GlassError, match=f"m.safetensors is not a valid barrier_committee model: .*{message}"):
        load_model(path)


def test_an_array_gone_from_file_and_card_is_noticed(saved: pathlib.Path) -> None:
    tensors = [name for name in read_card(saved)["tensors"] if not name.startswith("domain_")]
    without = {name: None for name in load_file(saved) if name.startswith("domain_")}
    rewrite(saved, without, tensors=tensors)
    with pytest.raises(GlassError, match="its card promises the output 'out_of_domain'"):
        load_model(saved)


@pytest.mark.parametrize(
    ("entry", "value"),
    [("kind", 3), ("settings", []), ("species", "Cu"), ("cutoff", "far"), ("tensors", 1), ("training", [])],
)
def test_entries_of_the_card_have_types(saved: pathlib.Path, entry: str, value: object) -> None:
    rewrite(saved, **{entry: value})
    with pytest.raises(GlassError, match=f"{entry}.* in the model card of .*small.safetensors must "):
        load_model(saved)


def test_a_model_that_is_not_finite_is_not_saved(saved: pathlib.Path) -> None:
    before = saved.read_bytes()
    for wrong in (
        replace(small_scnn(), constraints_vz=small_scnn().constraints_vz * np.nan),
        replace(small_barrier(), centre=np.inf),
    ):
        with pytest.raises(GlassError, match=r"cannot save .* finite"):
            save_model(wrong, saved)
    assert saved.read_bytes() == before


def test_names_that_are_no_model(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="unknown model 'bogus'"):
        load_model("bogus")
    with pytest.raises(GlassError, match=r"gone\.safetensors does not exist"):
        load_model(tmp_path / "gone.safetensors")
    with pytest.raises(GlassError, match=r"gone\.safetensors does not exist"):
        read_card(tmp_path / "gone.safetensors")
    with pytest.raises(GlassError, match="is a folder"):
        load_model(tmp_path)
    with pytest.raises(GlassError, match="unknown model 'mmm"):
        load_model("m" * 300)
    with pytest.raises(GlassError, match=r"cannot read model file .*too long"):
        load_model(f"{'m' * 300}.safetensors")


def test_a_class_of_ours_needs_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(model_file, "SHIPPED", tmp_path)
    with pytest.raises(GlassError, match="unknown model 'scnn'"):
        load_model("scnn")


def test_shipped_models_are_found_by_name(
    monkeypatch: pytest.MonkeyPatch, saved: pathlib.Path, model: DescriptorModel
) -> None:
    monkeypatch.setattr(model_file, "SHIPPED", saved.parent)
    assert model_file.shipped_models() == ["small"]
    assert "small" in model_file.model_names()
    assert load_model("small").kind == model.kind


def test_an_exception_while_writing_leaves_the_old_file(
    saved: pathlib.Path, model: DescriptorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.numpy.save", fail)
    with pytest.raises(KeyboardInterrupt):
        save_model(changed(model), saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


LIMITED = """
import resource, signal, sys
from glass_core import GlassError
from glass_core.model_file import load_model, save_model
model = load_model(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    save_model(model, sys.argv[1])
except GlassError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX feature")
def test_a_full_disk_leaves_the_old_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "small.safetensors"
    save_model(small_scnn(), path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"cannot write {path}" in done.stdout
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_places_that_cannot_be_written_are_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="it is a folder"):
        save_model(small_barrier(), tmp_path)
    with pytest.raises(GlassError, match=r"cannot write .*No such file or directory"):
        save_model(small_barrier(), tmp_path / "absent" / "m.safetensors")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_written_file_has_ordinary_permissions(saved: pathlib.Path, tmp_path: pathlib.Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    assert saved.stat().st_mode == plain.stat().st_mode
