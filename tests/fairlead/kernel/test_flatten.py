"""Flattening a market of a running engine: bounded, through the pipeline, and honest at the end."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.api import Place, Ratio
from fairlead.kernel import (
    CancelOrders,
    Flatten,
    FlattenAsked,
    Flattening,
    Pause,
    Resume,
    Status,
    StopRun,
    slippage,
)
from fairlead.model import Liquidity, Purpose, Side, Slot, TimeInForce
from fairlead.store import AlertRaised, FillBooked, OrderMoved, OrderRecorded
from tests.fairlead.kernel.control_world import MARKET, SECOND, Hand, Steered, steer

#: Far from its target, so that there is something to sell.
LONG = 'strategies.alt.inventory={ target = "40%", band = "20%" }'


def flattened(
    slippage_text: str, *sets: str, to: str = "target", seconds: int = 150
) -> tuple[dict[str, Any], Steered]:
    """Flatten the demo in its 41st second."""
    found: dict[str, Any] = {}

    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        found.update(await hand.told(Flatten(MARKET, slippage_text, to)))
        found["gap"] = hand.gap
        found["paused"] = (await hand.told(Status()))["strategies"][0]["paused"]

    return found, steer(script, *sets, seconds=seconds)


def exits(steered: Steered) -> list[OrderRecorded]:
    return [one for one in steered.trace.of(OrderRecorded) if one.purpose is Purpose.EXIT]


def test_a_position_goes_to_its_target_in_orders_that_risk_allows() -> None:
    result, steered = flattened("50 bps", LONG)

    assert (result["side"], result["to"]) == ("SELL", "target")
    assert abs(Decimal(result["residual"])) < 5  # the target follows the market meanwhile
    assert (result["end"], result["open"]) == ("done", False)
    assert result["paused"]
    sent = exits(steered)
    assert len(sent) > 1
    assert all(one.price * one.quantity <= 500 for one in sent)  # max_order
    assert all((one.time_in_force, one.post_only) == (TimeInForce.IOC, False) for one in sent)
    fills = [one for one in steered.trace.of(FillBooked) if one.level == 999]
    assert sum(one.quantity for one in fills) == Decimal(result["filled"])
    assert all(one.liquidity is Liquidity.TAKER for one in fills)
    assert steered.outcome.result.proven


def test_no_order_is_priced_beyond_the_bound() -> None:
    result, steered = flattened("20 bps", LONG)

    bound = Decimal(result["bound"])
    assert all(one.price >= bound for one in exits(steered))
    assert all(one.price >= bound for one in steered.trace.of(FillBooked) if one.side is Side.SELL)


def test_a_short_gap_is_bought_back() -> None:
    short = 'strategies.alt.inventory={ target = "55%", band = "20%" }'

    result, steered = flattened("50 bps", short)

    assert (result["side"], result["end"]) == ("BUY", "done")
    assert all(one.price <= Decimal(result["bound"]) for one in exits(steered))


def test_to_zero_leaves_nothing_whatever_the_strategies_steer_to() -> None:
    result, _ = flattened("50 bps", to="zero", seconds=110)

    assert abs(Decimal(result["residual"])) < 1
    assert Decimal(result["filled"]) > 2_000
    assert result["gap"] == Decimal(result["residual"])


def test_a_resume_gives_the_strategies_their_target_back() -> None:
    gaps: list[Decimal] = []

    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        await hand.told(Flatten(MARKET, "50 bps", "zero"))
        gaps.append(hand.gap)
        await hand.told(Resume(MARKET))
        gaps.append(hand.gap)

    steer(script)

    assert abs(gaps[0]) < 1
    assert gaps[1] < -2_000


def test_the_quotes_are_gone_before_the_first_exit_leaves() -> None:
    slow = 'venues.main.latency={ market_data = "20 ms", orders = "2 s" }'
    result, steered = flattened("50 bps", LONG, slow, 'strategies.alt.refresh={ every = "30 s" }')

    assert result["filled"] != "0"
    live: set[str] = set()
    for record in steered.trace.records:
        match record:
            case OrderRecorded(purpose=Purpose.EXIT):
                assert not live
            case OrderRecorded(order=order):
                live.add(order)
            case OrderMoved(order=order, after=after) if after.is_closed:
                live.discard(order)
            case _:
                pass


def test_what_the_bound_does_not_let_through_stays_and_is_told() -> None:
    result, steered = flattened("0.001 bps", LONG)

    assert result["filled"] == "0"
    assert result["open"]
    assert result["end"] == "nothing is offered within the bound"
    (alert,) = steered.trace.of(AlertRaised)
    assert (alert.severity, alert.name) == ("critical", "residual_exposure")
    assert result["residual"] in alert.detail


def test_what_risk_refuses_ends_it_with_the_rule_and_the_figures() -> None:
    result, steered = flattened("3%", LONG, 'risk.price_band={ taker = "1 bps" }')

    assert result["end"].startswith("denied by price_band: ")
    assert result["open"]
    assert exits(steered) == []


def test_nothing_to_do_is_done_at_once() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        await hand.told(Flatten(MARKET, "50 bps"))
        again = await hand.told(Flatten(MARKET, "50 bps"))
        assert again["filled"] == "0"
        assert not again["open"]

    steer(script)


def test_one_exit_at_a_time_and_no_resume_before_its_end() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        hand.session.control.take(Flatten(MARKET, "50 bps"), "one", lambda answer: None)
        assert "is being flattened already" in (await hand.refused(Flatten(MARKET, "1%"))).reason
        assert "wait for its end" in (await hand.refused(Resume())).reason
        await hand.told(Pause())
        await hand.told(CancelOrders())

    steer(script, LONG, seconds=60)


def test_a_pause_pulls_quotes_and_leaves_exits_alone() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        desk = hand.session.engine.desk
        (tracker,) = desk.markets.values()
        bid = (desk.markets[tracker.market].mid or Decimal()) * Decimal("0.999")
        now_ns = hand.session.clock.now_ns()

        def place(level: int, purpose: Purpose) -> Place:
            slot = Slot("alt", tracker.market, Side.BUY, level)
            return Place(slot, Side.BUY, bid, Decimal(20), now_ns, purpose)

        leaving, quoting = place(7, Purpose.EXIT), place(8, Purpose.QUOTE)
        desk.pipeline.open_for_creates = False  # so that both wait
        desk.pipeline.submit((leaving, quoting), desk.view)
        assert len(desk.pipeline.waiting()) == 2
        for runner in desk.runners.values():
            desk.pipeline.drop_creates(runner.market.market, quotes_only=True)
        assert [intent.slot.level for intent in desk.pipeline.waiting()] == [7]
        desk.pipeline.open_for_creates = True
        desk.pipeline.dispatch()
        await hand.at(40.9)
        await hand.told(Pause())
        await hand.at(43.9)
        assert [order.intent.slot.level for order in desk.orders.live()] == [7]

    steer(script, seconds=60)


def test_after_a_minute_it_ends_whatever_is_left() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        desk, now_ns = hand.session.engine.desk, hand.session.clock.now_ns()
        (market,) = desk.markets
        asked = FlattenAsked(market, "alt", Decimal("0.01"), "target")
        one = Flattening(desk, asked, now_ns)
        one.tick(now_ns)  # its quotes are in the way
        assert one.end == ""
        one.tick(now_ns + 60 * SECOND)
        assert one.end == "the time is over"
        one.tick(now_ns + 61 * SECOND)
        assert one.result()["end"] == "the time is over"
        assert one.result()["open"]

    steer(script, LONG, seconds=50)


def test_a_run_that_ends_meanwhile_answers_with_what_was_done() -> None:
    answers: list[Any] = []

    async def script(hand: Hand) -> None:
        await hand.at(40.5)
        hand.session.control.take(Flatten(MARKET, "50 bps"), "one", answers.append)
        await hand.told(StopRun())

    steer(script, LONG)

    assert [answer.result["end"] for answer in answers] == ["the run ended"]
    assert answers[0].result["open"]


@pytest.mark.unmeasured
@settings(max_examples=8)
@given(bps=st.integers(1, 49), target=st.sampled_from(["35%", "45%", "52%", "60%"]))
def test_whatever_is_asked_for_the_bound_holds(bps: int, target: str) -> None:
    sets = f'strategies.alt.inventory={{ target = "{target}", band = "20%" }}'

    result, steered = flattened(f"{bps} bps", sets, seconds=60)

    sent = exits(steered)
    if sent:
        bound, sign = Decimal(result["bound"]), sent[0].side.sign
        mid = sent[0].reasons[0].before
        assert mid is not None
        assert abs(bound - mid) / mid <= Decimal(bps).scaleb(-4) + Decimal("1e-30")
        assert all(sign * one.price <= sign * bound for one in sent)
        taken = [one for one in steered.trace.of(FillBooked) if one.level == 999]
        assert all(sign * one.price <= sign * bound for one in taken)


@pytest.mark.parametrize(("text", "expected"), [("30 bps", "0.003"), ("0.5%", "0.005")])
def test_a_slippage_is_a_ratio(text: str, expected: str) -> None:
    assert slippage(text) == Decimal(expected) == Ratio.parse(text).value


@pytest.mark.parametrize("text", ["", "30", "-1 bps", "0 bps", "100%", "1 USDT"])
def test_other_texts_are_none(text: str) -> None:
    assert slippage(text) is None
