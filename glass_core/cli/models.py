"""``glass models``."""

from __future__ import annotations

import argparse
from typing import Any

from glass_core.cli.show import as_json, number, table


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser("models", help="list models, or show the card of one")
    p.add_argument("model", nargs="?", help="name or path of a model whose card to show")
    p.add_argument("--json", action="store_true", help="print JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.model_file import SHIPPED, describe, load_model, model_names, read_card, resolve, shipped_models
    from glass_core.registry import refused

    if args.model:
        path = resolve(args.model)
        as_json(describe(load_model(args.model)) if path is None else read_card(path))
        return
    cards = {name: read_card(SHIPPED / f"{name}.safetensors") for name in shipped_models()}
    plugins = [name for name in model_names() if name not in cards]
    if args.json:
        as_json({"shipped": cards, "plugins": plugins, "refused": refused()})
        return
    rows = [_row(name, card) for name, card in cards.items()]
    rows += [[name, "-", "-", "from a plugin", "-", "-"] for name in plugins]
    table(rows, ["model", "species", "reach Å", "outputs", "pearson", "AUC top 20 %"])
    print("scores: pooled, leave one group of configurations out; `glass models NAME` shows the whole card")
    for name, reason in refused().items():
        print(f"plugin {name} was refused: {reason}")


def _row(name: str, card: dict[str, Any]) -> list[str]:
    pooled = card.get("scores", {}).get("pooled", {}).get("mean", {})
    outputs = [o for o in card["outputs"] if not o.startswith("similarity_")]
    if len(outputs) < len(card["outputs"]):
        outputs.append("similarity_k")
    reach = f"{card['receptive_field']:.1f}"
    scores = [number(pooled.get("pearson")), number(pooled.get("auc_top20"))]
    return [name, " ".join(card["species"]), reach, ", ".join(outputs), *scores]
