"""What a person tells a running engine is judged, written down and done."""

from decimal import Decimal
from typing import Any, cast

import pytest

from fairlead.api import FillSeen, PostureLevel
from fairlead.errors import ExitCode
from fairlead.kernel import (
    Answer,
    Attach,
    Balances,
    CancelOrders,
    Command,
    Fills,
    Flatten,
    Orders,
    Panic,
    Pause,
    Pnl,
    Positions,
    Reduce,
    Refused,
    Resume,
    RiskMemory,
    Status,
    StopReason,
    StopRun,
    Strategy,
)
from fairlead.kernel.alert_rule import cause_of
from fairlead.model import Purpose
from fairlead.store import CancelAsked, ControlAsked, DecisionMade, PostureChanged, RuleState
from tests.fairlead.kernel.control_world import MARKET, Hand, steer

QUERIES = (Status(), Orders(), Positions(), Balances(), Pnl(), Fills())


# --- looking


def test_looking_leaves_no_trace() -> None:
    async def look(hand: Hand) -> None:
        for second in (0, 20.5, 60.5):
            await hand.at(second)
            for query in QUERIES:
                await hand.ask(query)

    assert steer(look, seconds=90).outcome.trace_hash == steer(None, seconds=90).outcome.trace_hash


def test_every_look_shows_the_engine_as_it_stands() -> None:
    seen: dict[str, dict[str, Any]] = {}

    async def look(hand: Hand) -> None:
        await hand.at(100.5)
        for query in QUERIES:
            seen[type(query).__name__] = await hand.told(query)
        seen["live"] = {"orders": hand.live()}

    steer(look)

    assert {found["schema"] for name, found in seen.items() if name != "live"} == {1}
    status = seen["Status"]
    assert (status["instance"], status["mode"], status["phase"]) == ("demo", "paper", "running")
    assert (status["posture"], status["posture_rule"]) == ("ACTIVE", "")
    assert status["ticks"] in (99, 100)
    assert status["strategies"][0]["orders"] == len(seen["live"]["orders"]) > 0
    assert status["markets"][0]["valid"]
    assert [order["order"] for order in seen["Orders"]["orders"]] == seen["live"]["orders"]
    position = seen["Positions"]["positions"][0]
    assert position["market"] == MARKET
    assert position["gap_value"] is not None
    assert {row["asset"]: row["total"] == row["book"] for row in seen["Balances"]["balances"]} == {
        "ALT": True,
        "USDT": True,
    }
    assert seen["Pnl"]["strategies"][0]["total"] == seen["Pnl"]["all"]["total"]


@pytest.mark.unmeasured
def test_fills_come_newest_first_and_no_more_than_asked_for() -> None:
    found: list[dict[str, Any]] = []

    async def look(hand: Hand) -> None:
        await hand.at(895)
        found.append(await hand.told(Fills(1_000)))
        found.append(await hand.told(Fills(2)))

    steer(look, seconds=900)

    every, two = (one["fills"] for one in found)
    assert len(every) > 2
    assert two == every[:2]
    assert [fill["t_ns"] for fill in every] == sorted((f["t_ns"] for f in every), reverse=True)


def test_a_run_that_draws_nothing_has_nothing_to_attach_to() -> None:
    async def look(hand: Hand) -> None:
        await hand.at(5)
        assert (await hand.refused(Attach())).code is ExitCode.UNAVAILABLE

    steer(look, seconds=10)


def test_more_can_be_shown_with_the_status() -> None:
    async def look(hand: Hand) -> None:
        hand.session.control.shown["more"] = lambda: {"of": "it"}
        await hand.at(5)
        assert (await hand.told(Status()))["more"] == {"of": "it"}

    steer(look, seconds=10)


# --- pause and resume


@pytest.mark.parametrize("target", ["", "alt", MARKET])
def test_a_pause_pulls_the_quotes_and_a_resume_quotes_anew(target: str) -> None:
    counts: list[int] = []

    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        counts.append(len(hand.live()))
        assert await hand.told(Pause(target)) == {"paused": ["alt"]}
        await hand.at(41)
        counts.append(len(hand.live()))
        await hand.at(80.5)
        counts.append(len(hand.live()))
        assert await hand.told(Resume(target)) == {"resumed": ["alt"]}
        await hand.at(84)
        counts.append(len(hand.live()))

    steered = steer(script)

    before, pulled, held, after = counts
    assert before > 0
    assert (pulled, held) == (0, 0)
    assert after > 0
    gates = [gate.name for one in steered.trace.of(DecisionMade) for gate in one.gates]
    assert "paused" in gates
    assert steered.outcome.result.proven


def test_a_paused_strategy_says_why_it_quotes_nothing() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        await hand.told(Pause("alt"))
        await hand.at(50)
        strategy = (await hand.told(Status()))["strategies"][0]
        assert strategy["paused"] is True
        assert strategy["gates"] == [{"name": "paused", "detail": "by a test"}]

    steer(script, seconds=60)


def test_reduce_only_by_hand_lasts_until_it_is_taken_back() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        await hand.told(Reduce())
        await hand.at(40.5)
        status = await hand.told(Status())
        assert (status["posture"], status["posture_rule"]) == ("REDUCING", "by_hand")
        await hand.told(Reduce(on=False))
        await hand.at(50.5)
        assert (await hand.told(Status()))["posture"] == "ACTIVE"
        await hand.told(Reduce())
        await hand.told(Resume())
        assert (await hand.told(Status()))["posture"] == "ACTIVE"

    steered = steer(script, seconds=60)

    levels = [one.level for one in steered.trace.of(PostureChanged) if one.rule == "by_hand"]
    assert levels == [PostureLevel.REDUCING, PostureLevel.REDUCING]


@pytest.mark.parametrize("command", [Resume(), Reduce(on=False)], ids=["resume", "reduce-only off"])
def test_what_a_plan_left_open_restrains_until_a_person_has_looked(
    command: Resume | Reduce,
) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        desk = hand.session.engine.desk
        (market,) = desk.markets
        desk.plans.ends.leave_open("alt", "hedge-1", market, Decimal(3), "stopped")
        status = await hand.told(Status())
        assert (status["posture"], status["posture_rule"]) == ("REDUCING", "execution hedge-1")
        await hand.told(command)
        assert (await hand.told(Status()))["posture"] == "ACTIVE"

    steer(script, seconds=40)


@pytest.mark.parametrize("command", [Resume(), Reduce(on=False)], ids=["resume", "reduce-only off"])
def test_a_rule_that_failed_restrains_until_a_person_has_looked(command: Resume | Reduce) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        desk, nothing = hand.session.engine.desk, cast(Any, None)
        desk.gate.hear(FillSeen(nothing, nothing, Purpose.QUOTE, None), desk.view)
        status = await hand.told(Status())
        assert (status["posture"], status["posture_rule"]) == ("REDUCING", "one_sided_fills")
        await hand.at(35)
        assert (await hand.told(Status()))["posture"] == "REDUCING"
        await hand.told(command)
        assert (await hand.told(Status()))["posture"] == "ACTIVE"

    steered = steer(script, seconds=40)

    (told,) = [
        one for one in map(cause_of, steered.trace.records) if one and one.name == "reducing"
    ]
    assert "one_sided_fills: the rule failed on news: AttributeError" in told.detail


@pytest.mark.parametrize("command", [Resume(), Reduce(on=False)], ids=["resume", "reduce-only off"])
@pytest.mark.parametrize(
    ("name", "state", "incident"),
    [
        ("markout_brake", '{"windows":[{"market":7}]}', "rule_failed"),
        ("account", '{"day":"noon"}', "memory_unreadable"),
    ],
)
def test_a_memory_that_cannot_be_read_restrains_until_a_person_has_looked(
    command: Resume | Reduce, name: str, state: str, incident: str
) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        status = await hand.told(Status())
        assert (status["posture"], status["posture_rule"]) == ("REDUCING", name)
        await hand.told(command)
        assert (await hand.told(Status()))["posture"] == "ACTIVE"

    steered = steer(script, seconds=40, memory=RiskMemory({name: state}))

    records = steered.trace.records
    stored = [one for one in records if isinstance(one, RuleState) and one.rule == name]
    asked = steered.trace.of(ControlAsked)[-1]
    told = {one.name: one.detail for one in map(cause_of, records) if one}
    # Until then a start in between must find again what could not be read.
    assert records.index(stored[0]) > records.index(asked)
    assert "got `" in told["reducing"]
    assert name in told["reducing"]
    assert name in told[incident]
    assert "got `" in told[incident]


def test_resuming_one_strategy_leaves_a_reduce_only_in_force() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        await hand.told(Reduce())
        await hand.told(Resume("alt"))
        assert (await hand.told(Status()))["posture"] == "REDUCING"

    steer(script, seconds=40)


# --- cancel


def test_one_order_can_be_cancelled_by_its_short_name() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        first, *others = hand.live()
        assert await hand.told(CancelOrders(first[-8:])) == {"orders": [first]}
        await hand.at(40.9)
        assert hand.live() == others

    steered = steer(script, seconds=60)

    reasons = [one.reason for one in steered.trace.of(CancelAsked)]
    assert reasons.count("asked by a test") == 1


@pytest.mark.parametrize("target", ["", MARKET])
def test_all_orders_can_be_cancelled_and_are_quoted_anew(target: str) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        before = hand.live()
        assert (await hand.told(CancelOrders(target)))["orders"] == before
        await hand.at(40.9)
        assert hand.live() == []
        await hand.at(44.5)
        assert len(hand.live()) > 0

    steer(script, seconds=60)


def test_nothing_to_cancel_on_a_market_is_no_mistake() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        await hand.told(Pause())
        await hand.at(42)
        assert await hand.told(CancelOrders(MARKET)) == {"orders": []}

    steer(script, seconds=50)


# --- the end


def test_a_panic_cancels_at_once_halts_and_outlives_the_run() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.1)
        assert (await hand.told(Panic()))["halted"]
        await hand.at(40.3)
        assert hand.live() == []

    steered = steer(script)

    result = steered.outcome.result
    assert (result.reason, result.exit_code, result.proven) == (StopReason.HALTED, 5, True)
    assert "asked by a test" in steered.process.markers["demo.HALTED"]


def test_a_stop_is_clean_and_says_who_asked() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.1)
        assert await hand.told(StopRun()) == {"stopping": True}

    result = steer(script).outcome.result

    assert (result.reason, result.detail) == (StopReason.ASKED, "asked by a test")
    assert result.proven
    assert result.exit_code is ExitCode.CLEAN


def test_a_panic_comes_through_before_the_engine_has_started() -> None:
    async def script(hand: Hand) -> None:
        assert (await hand.told(Panic("too early")))["reason"] == "too early"

    steered = steer(script)

    assert steered.outcome.result.reason is StopReason.HALTED


# --- refusals


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Pause("nix"), "no strategy or market 'nix'; there are: alt, main:ALT/USDT"),
        (Resume("nix"), "no strategy or market 'nix'; there are: alt, main:ALT/USDT"),
        (CancelOrders("nix"), "no live order and no market 'nix'"),
        (Flatten("nix", "30 bps"), "no strategy or market 'nix'; there are: alt, main:ALT/USDT"),
        (Flatten(MARKET, "30"), "max_slippage '30': write a ratio above zero and below 100%"),
        (Flatten(MARKET, "0%"), "max_slippage '0%': write a ratio above zero and below 100%"),
        (Flatten(MARKET, "100%"), "max_slippage '100%': write a ratio above zero and below"),
        (Flatten(MARKET, "1%", "noon"), 'to \'noon\': write "target" or "zero"'),
        (Strategy("burn", "alt"), "strategy 'burn': write one of add, remove, reload"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_written_down(
    command: Command, reason: str
) -> None:
    refused: list[Refused] = []

    async def script(hand: Hand) -> None:
        await hand.at(20.5)
        refused.append(await hand.refused(command))

    steered = steer(script, seconds=30)

    assert refused[0].reason.startswith(reason)
    assert refused[0].code is ExitCode.USAGE
    (noted,) = steered.trace.of(ControlAsked)
    assert (noted.who, noted.refused) == ("a test", refused[0].reason)


@pytest.mark.parametrize("command", [Pause(), Reduce(), Strategy("reload", "alt"), Status()])
def test_an_engine_that_starts_says_so(command: Command) -> None:
    async def script(hand: Hand) -> None:
        refused = await hand.refused(command)
        assert refused.reason == "the engine is still starting"
        assert refused.code is ExitCode.UNAVAILABLE

    steer(script, seconds=5)


@pytest.mark.parametrize("command", [Pause(), Flatten(MARKET, "1%"), Strategy("reload", "alt")])
def test_an_engine_that_stops_does_nothing_more(command: Command) -> None:
    answers: list[Answer | Refused] = []

    async def script(hand: Hand) -> None:
        await hand.at(40.1)
        await hand.told(StopRun())
        await hand.at(40.5)
        assert (await hand.told(Status()))["phase"] == "stopping"
        answers.append(await hand.ask(command))

    steer(script)

    assert answers == [Refused("the engine is stopping", ExitCode.UNAVAILABLE)]


def test_what_is_told_is_written_down_before_it_takes_effect() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        await hand.told(Pause("alt"))

    records = steer(script, seconds=50).trace.records

    asked = next(at for at, one in enumerate(records) if isinstance(one, ControlAsked))
    pulled = next(
        at
        for at, one in enumerate(records)
        if isinstance(one, CancelAsked) and one.reason == "paused"
    )
    noted = records[asked]
    assert isinstance(noted, ControlAsked)
    assert (noted.command, noted.arguments, noted.refused) == ("pause", {"target": "alt"}, "")
    assert asked < pulled
