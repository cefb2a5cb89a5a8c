"""``glass models``."""

from __future__ import annotations

import argparse
from typing import Any

from glass_core.cli.show import as_json, number, table, with_spread


def add(commands: Any) -> None:
    """Adds the command to the parser."""
    p = commands.add_parser("models", help="list models, or show the card of one")
    p.add_argument("model", nargs="?", help="name or path of a model whose card to show")
    p.add_argument("--json", action="store_true", help="print JSON, which for one model is its whole card")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    from glass_core.model_file import SHIPPED, describe, load_model, model_names, read_card, resolve, shipped_models
    from glass_core.registry import refused

    if args.model:
        path = resolve(args.model)
        card = describe(load_model(args.model)) if path is None else read_card(path)
        as_json(card) if args.json else _show(args.model, card)
        return
    cards = {name: read_card(SHIPPED / f"{name}.safetensors") for name in shipped_models()}
    plugins = [name for name in model_names() if name not in cards]
    if args.json:
        as_json({"shipped": cards, "plugins": plugins, "refused": refused()})
        return
    rows = [_row(name, card) for name, card in cards.items()]
    rows += [[name, "-", "-", "from a plugin", "-", "-"] for name in plugins]
    table(rows, ["model", "species", "reach Å", "outputs", "pearson", "AUC top 20 %"])
    print("scores: pooled, leave one group of configurations out; `glass models NAME` shows more of one")
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


def _show(name: str, card: dict[str, Any]) -> None:
    """Prints a card for people."""
    facts = [*_what(card), *_trained(card.get("training", {})), *_scored(card.get("scores", {}))]
    facts += [(f"learned {what}", text) for what, text in _learned(card)]
    print(f"{name}: {card['kind']}")
    width = max(len(title) for title, _ in facts)
    for title, text in facts:
        print(f"  {title:{width}}  {text}")
    print(f"`glass models {name} --json` prints everything")


def _what(card: dict[str, Any]) -> list[tuple[str, str]]:
    named = [f"{output} ({unit})" if unit else output for output, unit in card["outputs"].items()]
    return [
        ("species", ", ".join(card["species"])),
        ("outputs", ", ".join(named)),
        ("sees", f"{card['receptive_field']:.1f} Å around an atom"),
    ]


def _trained(training: dict[str, Any]) -> list[tuple[str, str]]:
    if not training:
        return []
    names, groups = training["configurations"], len(set(training["groups"].values()))
    return [
        ("trained on", f"{', '.join(names)} ({groups} groups that share no glass), {training['date']}"),
        ("by", training["command"]),
    ]


def _scored(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """Scores on left-out groups; those that the model has."""
    if not scores:
        return []
    facts = []
    for title, part in (("pooled", "pooled"), ("mean of each", "mean_per_configuration")):
        mean, spread = scores[part]["mean"], scores[part]["std_over_seeds"]
        named = (("pearson", "Pearson"), ("mae", "MAE eV"), ("auc_top20", "AUC top 20 %"))
        found = [f"{text} {with_spread(mean[k], spread[k])}" for k, text in named if mean[k] is not None]
        facts.append((f"left out, {title}", ", ".join(found)))
    each = [f"{name} {number(value)}" for name, value in scores["per_configuration_pearson"].items()]
    facts.append(("Pearson of each", ", ".join(each)))
    if "coverage" in scores:
        pooled = scores["coverage"]["pooled"]
        inside = " and ".join(f"{100 * pooled[key]:.0f} %" for key in ("coverage_68", "coverage_95"))
        facts.append(("68 and 95 % intervals", f"hold {inside} of left-out labels"))
    facts.append(("out of domain", f"{100 * scores['out_of_domain_rate']:.2f} % of left-out atoms"))
    turned = scores.get("measured", {}).get("invariance_error")
    if turned is not None:
        facts.append(("turned or reflected", f"predictions change by {1000 * turned:.3f} meV"))
    return facts


def _learned(card: dict[str, Any]) -> list[tuple[str, str]]:
    """Von Mises distributions of SymGNN's first member."""
    return [
        (what, "; ".join(f"{angle} μ {mu:.2f}, κ {kappa:.2f}" for angle, (mu, kappa) in angles.items()))
        for what, angles in card.get("von_mises", [{}])[0].items()
    ]
