"""Plans ask for the right searches, and for the same ones wherever they are interrupted."""

from __future__ import annotations

import numpy as np
import pytest

from glass_core.campaign.columns import decode, encode
from glass_core.campaign.plans import BudgetPlan, EachPlan, Plan, Prior, TargetPlan
from glass_core.campaign.results import Results, Task
from tests.campaign.fakes import BETWEEN, fake_record, true_means

N = 60
ATOMS = np.arange(N, dtype=np.int32)


def prior(random: np.random.Generator) -> Prior:
    return Prior(true_means(0, N) + 0.15 * random.standard_normal(N), np.full(N, 0.15))


def played(plan: Plan, results: Results, stop_after: int = 10**9) -> list[Task]:
    """All searches of a plan; stops in the middle of a round after some new ones."""
    asked, new = [], 0
    for wanted in plan.rounds(results):
        for task in wanted.tasks:
            asked.append(task)
            if not results.has(*task):
                if new == stop_after:
                    return asked
                results.add(decode([encode(fake_record(0, *task, N, true_means(0, N)[task[0]]))]).rows_r[0])
                new += 1
    return asked


def plans(random: np.random.Generator) -> dict[str, Plan]:
    model = prior(random)
    return {
        "each": EachPlan(ATOMS, 7),
        "target": TargetPlan(ATOMS, 0.15, 4, 60),
        "prior and target": TargetPlan(ATOMS, 0.1, 2, 60, model),
        "prior": BudgetPlan(ATOMS, 8, 2, 40, model),
    }


@pytest.mark.parametrize("name", ["each", "target", "prior and target", "prior"])
def test_an_interrupted_plan_comes_to_the_same_end(name: str, random: np.random.Generator) -> None:
    plan = plans(random)[name]
    whole, parts = Results(N), Results(N)
    wanted = played(plan, whole)
    assert len(wanted) == len(set(wanted)) == len(whole)
    for stop in (0, 1, 37, 150):
        played(plan, parts, stop)
    assert played(plan, parts) == wanted
    assert len(parts) == len(whole)


def test_numbers_of_an_atom_follow_each_other(random: np.random.Generator) -> None:
    for plan in plans(random).values():
        numbers: dict[int, list[int]] = {}
        for atom, number in played(plan, Results(N)):
            numbers.setdefault(atom, []).append(number)
        assert all(n == list(range(len(n))) for n in numbers.values())


def test_each_atom_gets_its_share() -> None:
    atoms = np.array([3, 9], dtype=np.int32)
    assert sorted(played(EachPlan(atoms, 6), Results(N))) == [(a, k) for a in (3, 9) for k in range(6)]


def test_searches_of_an_earlier_larger_run_change_nothing(random: np.random.Generator) -> None:
    plan = TargetPlan(ATOMS, 0.2, 4, 50)
    fresh, used = Results(N), Results(N)
    played(EachPlan(ATOMS, 9), used)
    assert played(plan, fresh) == played(plan, used)


def test_the_target_is_met_where_allowed(random: np.random.Generator) -> None:
    results = Results(N)
    asked = played(TargetPlan(ATOMS, 0.12, 4, 200), results)
    counts = np.bincount([a for a, _ in asked], minlength=N)
    error = results.moments(counts).shrunk_error()
    assert (error <= 0.12).all()
    expected = (0.5 / 0.12) ** 2 / 0.7
    assert counts.mean() == pytest.approx(expected, rel=0.15)
    assert counts.std() < 0.5 * expected
    capped = played(TargetPlan(ATOMS, 0.01, 4, 20), Results(N))
    assert np.bincount([a for a, _ in capped]).tolist() == [20] * N


def test_a_prior_saves_searches(random: np.random.Generator) -> None:
    model, means = prior(random), true_means(0, N)
    plain = played(TargetPlan(ATOMS, 0.12, 4, 200), Results(N))
    informed = played(TargetPlan(ATOMS, 0.12, 2, 200, model), Results(N))
    assert len(informed) < 0.6 * len(plain)
    results = Results(N)
    asked = played(BudgetPlan(ATOMS, 8, 2, 40, model), results)
    assert len(asked) == 8 * N
    assert means.std() == pytest.approx(BETWEEN, rel=0.3)


def test_a_budget_goes_where_the_prior_is_unsure(random: np.random.Generator) -> None:
    std = np.where(ATOMS < N // 2, 0.05, 0.4)
    model = Prior(true_means(0, N) + std * random.standard_normal(N), std)
    asked = played(BudgetPlan(ATOMS, 8, 1, 40, model), Results(N))
    counts = np.bincount([a for a, _ in asked], minlength=N)
    assert counts[N // 2 :].mean() > 4 * counts[: N // 2].mean()
    assert counts.max() <= 40
    few = played(BudgetPlan(ATOMS[:3], 8, 2, 5, model), Results(N))
    assert len(few) == 15  # no more than the most of each
