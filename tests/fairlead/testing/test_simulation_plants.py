"""The test of the tests: each planted bug breaks a promise, and the simulation sees it.

A few are tried in every test run. ``FAIRLEAD_PLANTS=all`` tries each, from the seed that is known
to find it (`simulation_plants.toml`); ``FAIRLEAD_PLANTS=search`` from the first, as a user does.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from fairlead.testing.simulation import (
    PLANTS,
    Scenario,
    SeedRun,
    load_scenarios,
    run_seed,
    scenario_of,
)
from fairlead.testing.simulation.plants import Mutation, Plant, needs_plans, planted
from tests.guards.tree import ROOT

QUARTER = 3_600_000_000_000 // 4
# Within so many seeds a plant must be found.
MOST_SEEDS = 50
KNOWN: dict[str, int] = tomllib.loads(
    Path(__file__).with_name("simulation_plants.toml").read_text(encoding="utf-8")
)["seed"]
# Those that are tried in every test run: what each breaks shows within the first minutes.
FEW = (
    "batch_sent_one_by_one",
    "exception_is_failed",
    "fills_counted_twice",
    "hedged_in_flight",
    "order_size_unchecked",
    "own_orders_met",
    "patience_holds_cancels",
    "residual_untold",
    "sends_before_durable",
    "slot_not_waited_for",
)
WANTED = os.environ.get("FAIRLEAD_PLANTS", "")
NAMES = tuple(PLANTS) if WANTED else FEW


@pytest.fixture(scope="module")
def scenarios() -> Mapping[bool, Sequence[Scenario]]:
    """Give what a user runs to see a plant found: what works plans, and what only quotes."""
    return {plans: load_scenarios(plans=plans) for plans in (True, False)}


def seeds(name: str) -> Iterator[int]:
    """Give the seed that is known to find it, and then all."""
    if WANTED != "search":
        yield KNOWN[name]
    yield from range(1, MOST_SEEDS + 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_a_planted_bug_is_found(scenarios: Mapping[bool, Sequence[Scenario]], name: str) -> None:
    fitting = scenarios[needs_plans(PLANTS[name])]
    for seed in seeds(name):
        run = SeedRun(seed, QUARTER, plant=PLANTS[name])
        if run_seed(scenario_of(fitting, seed), run).violations:
            return
    pytest.fail(f"{name} was not found within {MOST_SEEDS} seeds")


def test_every_plant_says_what_it_breaks_and_is_known_to_be_found() -> None:
    assert len(PLANTS) >= 15
    for name, plant in PLANTS.items():
        assert name == plant.name
        assert plant.meaning
        assert plant.mutations
    assert list(KNOWN) == sorted(PLANTS)
    assert all(1 <= seed <= MOST_SEEDS for seed in KNOWN.values())


def test_the_docs_say_which_guard_each_plant_takes_away() -> None:
    text = (ROOT / "docs/explanation/simulation.md").read_text(encoding="utf-8")

    assert sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)) & set(PLANTS)) == sorted(PLANTS)


def test_a_plant_is_gone_when_its_seed_is_over() -> None:
    class Guard:
        def holds(self) -> bool:
            return True

    plant = Plant("weed", "", (Mutation(Guard, "holds", lambda right: lambda self: False),))

    with planted(plant):
        assert not Guard().holds()

    assert Guard().holds()
