"""``glass models``."""

from __future__ import annotations

import argparse
from typing import Any

from glass_core.cli.show import as_json, number, shares_inside, table, with_spread


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
    rows += [[name, "-", "-", "from a plugin", "-", "-", "-"] for name in plugins]
    table(rows, ["model", "species", "reach Å", "outputs", "glasses", "pearson", "AUC top 20 %"])
    print("glasses: groups of configurations that it was trained on; scores: pooled, each group left out in turn")
    print("`glass models NAME` shows more of one")
    for name, reason in refused().items():
        print(f"plugin {name} was refused: {reason}")


def _row(name: str, card: dict[str, Any]) -> list[str]:
    pooled = card.get("scores", {}).get("pooled", {}).get("mean", {})
    outputs = [o for o in card["outputs"] if not o.startswith("similarity_")]
    if len(outputs) < len(card["outputs"]):
        outputs.append("similarity_k")
    groups = str(_groups(card.get("training", {})) or "-")
    reach = f"{card['receptive_field']:.1f}"
    scores = [number(pooled.get("pearson")), number(pooled.get("auc_top20"))]
    return [name, " ".join(card["species"]), reach, ", ".join(outputs), groups, *scores]


def _groups(training: dict[str, Any]) -> int:
    """How many groups of configurations share no glass; 0 if the card does not tell."""
    return len(set((_at(training, "groups") or {}).values()))


def _show(name: str, card: dict[str, Any]) -> None:
    """Prints for people what a card tells; files of others may tell less."""
    facts = [*_what(card), *_trained(card.get("training", {})), *_scored(card.get("scores", {})), *_turned(card)]
    facts += _learned(card)
    print(f"{name}: {card['kind']}")
    width = max(len(title) for title, _ in facts)
    for title, text in facts:
        print(f"  {title:{width}}  {text}")
    print(f"`glass models {name} --json` prints everything")


def _at(content: Any, *keys: str) -> Any:
    """What a card has under these keys, None if it has nothing there."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _what(card: dict[str, Any]) -> list[tuple[str, str]]:
    named = [f"{output} ({unit})" if unit else output for output, unit in card["outputs"].items()]
    return [
        ("species", ", ".join(card["species"])),
        ("outputs", ", ".join(named)),
        ("sees", f"{card['receptive_field']:.1f} Å around an atom"),
    ]


def _trained(training: dict[str, Any]) -> list[tuple[str, str]]:
    facts = []
    if names := _at(training, "configurations"):
        groups = _groups(training)
        facts.append(("trained on", ", ".join(names) + (f" ({groups} groups that share no glass)" if groups else "")))
    told = (("by", "command"), ("date", "date"))
    return facts + [(title, text) for title, key in told if (text := _at(training, key))]


def _scored(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """Scores on left-out groups; those that the model has."""
    facts = []
    for title, part in (("pooled", "pooled"), ("mean of each", "mean_per_configuration")):
        named = (("pearson", "Pearson"), ("mae", "MAE eV"), ("auc_top20", "AUC top 20 %"))
        found = [
            f"{text} {with_spread(mean, _at(scores, part, 'std_over_seeds', key))}"
            for key, text in named
            if (mean := _at(scores, part, "mean", key)) is not None
        ]
        if found:
            facts.append((f"left out, {title}", ", ".join(found)))
    if each := _at(scores, "per_configuration_pearson"):
        facts.append(("Pearson of each", ", ".join(f"{name} {number(value)}" for name, value in each.items())))
    if only := _at(scores, "left_out"):
        facts.append(("scored", f"only the groups of {', '.join(only)}"))
    if covered := _at(scores, "coverage", "pooled"):
        facts.append(("68 and 95 % intervals", f"hold {shares_inside(covered)} of left-out labels"))
    if (rate := _at(scores, "out_of_domain_rate")) is not None:
        facts.append(("out of domain", f"{number(100 * rate, 2)} % of left-out atoms"))
    return facts


def _turned(card: dict[str, Any]) -> list[tuple[str, str]]:
    change = _at(card, "scores", "measured", "invariance_error")
    if change is None:
        return []
    told = f"{number(1000 * change)} meV" if "barrier" in card["outputs"] else number(change, 6)
    return [("turned or reflected", f"predictions change by {told}")]


def _learned(card: dict[str, Any]) -> list[tuple[str, str]]:
    """Von Mises distributions of SymGNN's members."""
    members = card.get("von_mises") or []
    return [
        (
            f"learned {what}" + (f" of member {c}" if len(members) > 1 else ""),
            "; ".join(f"{angle} μ {mu:.2f}, κ {kappa:.2f}" for angle, (mu, kappa) in angles.items()),
        )
        for c, member in enumerate(members)
        for what, angles in member.items()
    ]
