"""Whole seeds: promises hold through bad luck, and what breaks one can be looked into."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import ConfigError, UsageError
from fairlead.testing.simulation import (
    PLANTS,
    SHIPPED,
    FaultKind,
    Scenario,
    SeedRun,
    Task,
    chosen_faults,
    investigate,
    load_scenarios,
    run_seed,
    scenario_of,
)

HOUR = 3_600_000_000_000
QUARTER = HOUR // 4
SHORT = HOUR // 20
SEEDS = Path(__file__).with_name("simulation_seeds.toml")


@pytest.fixture(scope="module")
def scenarios() -> Sequence[Scenario]:
    return load_scenarios()


def named_seeds() -> list[Any]:
    rows = tomllib.loads(SEEDS.read_text(encoding="utf-8"))["seed"]
    return [pytest.param(row, id=row["name"]) for row in rows]


@pytest.mark.unmeasured
@pytest.mark.parametrize("row", named_seeds())
def test_a_seed_that_once_broke_a_promise_keeps_it(
    scenarios: Sequence[Scenario], row: dict[str, Any]
) -> None:
    kinds = chosen_faults(row.get("faults", "all"))
    run = SeedRun(row["seed"], int(row["hours"] * HOUR), kinds)

    scenario = scenarios[row.get("scenario", run.seed % len(scenarios))]
    result = run_seed(scenario, run)

    assert [found.describe() for found in result.violations] == []


def test_without_faults_both_sides_agree_and_nothing_is_counted(
    scenarios: Sequence[Scenario],
) -> None:
    result = run_seed(scenarios[1], SeedRun(1, QUARTER, ()))

    assert result.violations == ()
    assert result.counts == {}
    assert result.orders > 100
    assert result.lives == 3  # a stop and a kill in good weather, and the last stop
    assert QUARTER <= result.elapsed_ns < QUARTER + HOUR // 60


def test_the_same_seed_gives_the_same_run(scenarios: Sequence[Scenario]) -> None:
    runs = [run_seed(scenarios[2], SeedRun(seed, SHORT)) for seed in (6, 6, 10)]

    assert runs[0] == runs[1]
    assert runs[0].trace_hash != runs[2].trace_hash


def test_every_kind_of_point_is_passed_at_which_a_process_can_die(
    scenarios: Sequence[Scenario],
) -> None:
    result = run_seed(scenarios[1], SeedRun(1, SHORT, (FaultKind.CRASH,)))

    assert {
        "run begins",
        "run began",
        "commit begins",
        "commit under way",
        "commit is done",
        "request leaves",
        "request left",
        "answer came",
        "stream opens",
        "stream opened",
        "message came",
        "store closes",
    } <= set(result.points)


def test_only_some_faults_of_a_schedule_can_be_run(scenarios: Sequence[Scenario]) -> None:
    every = run_seed(scenarios[1], SeedRun(5, SHORT))
    some = run_seed(scenarios[1], SeedRun(5, SHORT, only=(1, 3, 10_000)))

    assert dict(some.faults) == {place: every.faults[place] for place in (1, 3)}


def test_a_violation_is_shrunk_to_the_faults_that_it_takes(scenarios: Sequence[Scenario]) -> None:
    plant = PLANTS["lost_cancel_is_done"]
    scenario = scenario_of(scenarios, 5)

    result, (failure,) = investigate(scenario, Task(SeedRun(5, SHORT, plant=plant), ("--set x",)))

    assert 0 < len(failure.faults) < len(result.faults) / 4
    assert failure.violation.rule == "an order is closed by proof only"
    assert failure.command.startswith("fairlead simulate --set x --seeds 5-5 --hours 0.05 --only ")
    assert failure.command.endswith(" --plant lost_cancel_is_done")
    only = tuple(int(place) for place in failure.command.split("--only ")[1].split()[0].split(","))
    again = run_seed(scenario, SeedRun(5, SHORT, only=only, plant=plant))
    assert again.violations[0] == failure.violation


def test_a_seed_without_violations_leaves_nothing_to_investigate(
    scenarios: Sequence[Scenario],
) -> None:
    assert investigate(scenarios[1], Task(SeedRun(1, SHORT)))[1] == ()


# --- configurations


def test_a_configuration_is_run_against_simulated_venues_whatever_it_names(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    text = SHIPPED.read_text(encoding="utf-8").replace(
        'connector = "neutral"', 'connector = "paper"\nbalances = { ALT = "500", USDT = "1000" }'
    )
    config.write_text(text, encoding="utf-8")

    (scenario,) = load_scenarios(config, ("strategies.alt.levels.count=3",))

    assert scenario.settings.engine.mode == "rehearse"
    assert scenario.settings.venues["main"].connector == "neutral"
    assert {asset: str(held) for asset, held in scenario.venues[0].balances.items()} == {
        "ALT": "500",
        "USDT": "1000",
    }
    assert scenario.most_notional()["main"] > 6 * 250


@pytest.mark.unmeasured
def test_two_strategies_at_two_venues_keep_their_promises(tmp_path: Path) -> None:
    config = tmp_path / "two.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    text += """
[venues.other]
connector = "neutral"
[strategies.far]
controller = "pmm"
market = "other:ALT/USDT"
spread = "12 bps"
order_size = "100 ALT"
replace = "together"
"""
    config.write_text(text, encoding="utf-8")
    (scenario,) = load_scenarios(config)

    result = run_seed(scenario, SeedRun(3, QUARTER))

    assert result.violations == ()
    assert scenario.most_in_slot() == {"alt": 1, "far": 2}


def test_a_market_that_simulated_venues_do_not_have_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    text = SHIPPED.read_text(encoding="utf-8").replace("main:ALT/USDT", "main:BTC/USDT")
    config.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="simulated venues have ALT/USDT only"):
        load_scenarios(config)


def test_what_is_wrong_with_a_configuration_is_said() -> None:
    with pytest.raises(ConfigError, match="levels"):
        load_scenarios(None, ("strategies.alt.levels.count=0",))
