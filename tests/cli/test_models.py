"""What `glass models NAME` tells people of a model."""

from __future__ import annotations

import json
import pathlib

import pytest

from glass_core.cli.main import main
from glass_core.model_file import save_model
from tests.core.small_models import small_barrier


@pytest.mark.parametrize("name", ["barrier", "barrier_cuzr", "linear", "scnn", "symgnn"])
def test_card_for_people(name: str, capsys) -> None:
    assert main(["models", name]) == 0
    shown = capsys.readouterr().out
    assert main(["models", name, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    pooled = card["scores"]["pooled"]["mean"]
    assert f"AUC top 20 % {pooled['auc_top20']:.3f}" in shown
    assert card["training"]["command"] in shown
    if name == "symgnn":
        location, concentration = card["von_mises"][-1]["reflections"]["γ"]
        assert f"γ μ {location:.2f}, κ {concentration:.2f}" in shown.splitlines()[-2]


_MEMBER = {"rotations": {"α": [0.5, 2.0]}}


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({}, "sees "),
        ({"scores": {"out_of_domain_rate": None, "pearson": 0.8}}, "sees "),
        ({"scores": {"measured": {"invariance_error": float("nan")}}}, "predictions change by - meV"),
        ({"scores": {"left_out": ["a", "b"]}}, "only the groups of a, b"),
        ({"training": {"date": "today"}, "von_mises": []}, "today"),
        ({"training": {"configurations": ["a"]}}, "a"),
        ({"von_mises": [_MEMBER, _MEMBER]}, "learned rotations of member 1  α μ 0.50, κ 2.00"),
    ],
)
def test_card_of_a_model_that_tells_little(tmp_path: pathlib.Path, capsys, extra: dict, text: str) -> None:
    save_model(small_barrier(), tmp_path / "m.safetensors", extra)
    assert main(["models", str(tmp_path / "m.safetensors")]) == 0
    assert text in capsys.readouterr().out
