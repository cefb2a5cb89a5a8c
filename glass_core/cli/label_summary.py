"""What ``glass label`` prints in the end."""

from __future__ import annotations

import math
from typing import Any

from glass_core.cli.show import number, table, things

_MEANINGS = {
    "accepted": "an event: a saddle between this minimum and another one",
    "disconnected": "a saddle, but not of this minimum, or lower than one of its minima",
    "unsplit": "a saddle with the same minimum on both sides",
    "higher_order": "a point with several directions downwards",
    "lost": "no direction downwards was found or kept",
    "over_cap": "the energy rose above the cap",
    "diverged": "energy or forces out of bounds, or atoms too far away",
    "failed": "the potential could not be computed; the same command tries again",
}


def print_summary(summary: dict[str, Any]) -> None:
    """The summary (``campaign.summary``) for people."""
    searches = summary["searches"]
    print(
        f"{things(searches, 'search', 'searches')} around {summary['atoms_searched']} of {summary['atoms']} atoms, "
        f"{number(summary['seconds_per_search'])} s each, {number(summary['core_hours'], 2)} core-hours"
    )
    if summary["relaxed_ang"] > 0:
        print(f"the structure was relaxed first: atoms moved by up to {number(summary['relaxed_ang'])} Å")
    states = {state: count for state, count in summary["states"].items() if count}
    if states:
        rows = [[s, str(n), number(100 * n / searches, 1), _MEANINGS[s]] for s, n in states.items()]
        table(rows, ["ended", "searches", "%", "meaning"])
    if summary["atoms_labelled"]:
        _print_barriers(summary)
    else:
        print("no saddle that counts was found, so there is no label yet")
    if summary["narrow_box_ang"]:
        print(
            f"the box is only {number(summary['narrow_box_ang'], 1)} Å high, less than the region in which saddles are "
            "converged in the end: events feel images of themselves"
        )
    if summary["states"]["over_cap"] > 0.5 * searches:
        print("most searches rose above the cap: see --set cap; if units are not Å and eV, --preset reduced")
    if "prior" in summary:
        prior = summary["prior"]
        print(
            f"standard error with the prior {prior['model']} (shifted by {number(prior['shift_ev'])} eV, its errors "
            f"times {number(prior['std_factor'], 2)}): {number(prior['posterior_error_ev'])} eV"
        )
    if "predicted" in summary:
        p = summary["predicted"]
        print(
            f"{p['model']} predicts {number(p['mean_at_minimum_ev'])} eV at the minimum and "
            f"{number(p['mean_at_saddle_ev'])} eV at the saddles, on average over events"
        )
    print(f"wrote {summary['out']}")


def _print_barriers(summary: dict[str, Any]) -> None:
    others = summary["barriers"] - summary["states"]["accepted"]
    counted = f" and {things(others, 'other saddle')} that {'count' if others > 1 else 'counts'}" if others else ""
    print(
        f"{things(summary['states']['accepted'], 'event')}, {summary['distinct_events']} distinct,{counted} around "
        f"{things(summary['atoms_labelled'], 'atom')}"
    )
    between, within = summary["barrier_std_ev"], summary["within_atom_std_ev"]
    spreads = [f"{number(between)} eV between atoms"] if math.isfinite(between) else []
    spreads += [f"{number(within)} eV between barriers of one atom"] if math.isfinite(within) else []
    deviation = f"; standard deviation {' and '.join(spreads)}" if spreads else ""
    print(f"mean barrier {number(summary['barrier_mean_ev'])} eV{deviation}")
    guess = "" if math.isfinite(within) else " (a guess: no atom has two barriers yet)"
    print(f"standard error of an atom's mean {number(summary['standard_error_ev'])} eV{guess}")
    retest, error = (summary[f"expected_retest_correlation{end}"] for end in ("", "_error"))
    if math.isfinite(retest):
        print(
            f"another campaign like this one would correlate with it, atom by atom, by {number(retest, 2)} ± "
            f"{number(error, 2)}"
        )
