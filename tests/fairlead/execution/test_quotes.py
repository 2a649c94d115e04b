from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fairlead.api import (
    Cancel,
    ExecutorView,
    Filled,
    OrderChanged,
    OrderView,
    Place,
    Pull,
    QuotesConfig,
    Replace,
    Step,
    Stop,
    Wake,
    Wish,
)
from fairlead.execution import QuotesExecutor, QuotesState
from fairlead.model import Fill, Liquidity, OrderState, Quote, Side
from tests.fairlead.execution.factory import MARKET, NOW, SECOND, order, quote, slot, view

BUY, SELL = Side.BUY, Side.SELL
CONFIG = QuotesConfig()
TOGETHER = QuotesConfig(replace=Replace.TOGETHER)


def wish(*quotes: Quote, at_ns: int = NOW) -> Wish:
    return Wish(quotes, at_ns)


def after_wish(
    executor: QuotesExecutor, seen: ExecutorView, *quotes: Quote
) -> tuple[QuotesState, Step[QuotesState]]:
    step = executor.step(executor.initial(), wish(*quotes), seen)
    return step.state, step


def places(step: Step[QuotesState]) -> list[tuple[Side, int, Decimal]]:
    return [
        (action.side, action.slot.level, action.price)
        for action in step.actions
        if isinstance(action, Place)
    ]


def cancels(step: Step[QuotesState]) -> dict[str, str]:
    return {
        action.client_id: action.reason for action in step.actions if isinstance(action, Cancel)
    }


def fill_of(client_id: str) -> Fill:
    return Fill(
        market=MARKET,
        venue_ns=NOW,
        local_ns=NOW,
        trade_id="t1",
        client_id=client_id,
        venue_id="v1",
        side=BUY,
        price=Decimal(99),
        quantity=Decimal(1),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity=Liquidity.MAKER,
    )


def test_places_every_wished_quote_best_level_first() -> None:
    executor = QuotesExecutor("alt", CONFIG)
    ladder = (
        quote(SELL, "101.50", level=1),
        quote(BUY, "99.00", level=1),
        quote(SELL, "101.00"),
        quote(BUY, "99.40"),
    )

    _, step = after_wish(executor, view(), *ladder)

    assert places(step) == [
        (BUY, 0, Decimal("99.40")),
        (SELL, 0, Decimal("101.00")),
        (BUY, 1, Decimal("99.00")),
        (SELL, 1, Decimal("101.50")),
    ]


def test_an_order_carries_the_reference_and_the_reasons_of_its_quote() -> None:
    executor = QuotesExecutor("alt", CONFIG)
    wished = quote(BUY, "99.40", "7")

    _, step = after_wish(executor, view(), wished)

    (place,) = step.actions
    assert place == Place(
        slot=slot(BUY),
        side=BUY,
        price=Decimal("99.40"),
        quantity=Decimal(7),
        decided_ns=NOW,
        reference=wished.reference,
        reasons=wished.reasons,
    )


@pytest.mark.parametrize(
    ("live", "wished"),
    [
        (order(BUY, "99.00", age_s=60), quote(BUY, "99.00")),
        (order(BUY, "99.00", age_s=60), quote(BUY, "98.9901")),
        (order(BUY, "99.00", "10", filled="2"), quote(BUY, "99.00", "10")),
        (order(BUY, "99.00", age_s=9), quote(BUY, "98.00", "50")),
        (order(BUY, "99.00", state=OrderState.PENDING_CREATE), quote(BUY, "98.00")),
        (order(BUY, "99.00", state=OrderState.UNKNOWN), quote(BUY, "98.00")),
        (order(BUY, "99.00", state=OrderState.PENDING_CANCEL), quote(BUY, "98.00")),
    ],
    ids=[
        "equal",
        "price exactly within tolerance",
        "quantity exactly within tolerance",
        "too young to be replaced",
        "on its way",
        "unproven",
        "being cancelled",
    ],
)
@pytest.mark.parametrize("config", [CONFIG, TOGETHER], ids=["wait", "together"])
def test_leaves_a_slot_alone(config: QuotesConfig, live: OrderView, wished: Quote) -> None:
    executor = QuotesExecutor("alt", config)

    _, step = after_wish(executor, view(live), wished)

    assert step.actions == ()


@pytest.mark.parametrize(
    ("wished", "reason"),
    [
        ((quote(BUY, "98.98"),), "refresh: price moved 2.0 bps"),
        ((quote(BUY, "99.00", "20"),), "refresh: quantity 10 where 20 is wished"),
        ((quote(BUY, "98.00", level=1),), "not wished"),
        ((), "not wished"),
        (
            (quote(BUY, "98.00"), quote(SELL, "99.00")),
            "in the way of SELL 0 at 99.00",
        ),
    ],
    ids=["price", "quantity", "another level", "nothing", "crosses the wish"],
)
def test_cancels_with_the_reason(wished: tuple[Quote, ...], reason: str) -> None:
    live = order(BUY, "99.00", age_s=10)
    executor = QuotesExecutor("alt", CONFIG)

    _, step = after_wish(executor, view(live, bid="98.50"), *wished)

    assert cancels(step) == {live.client_id: reason}


def test_an_order_in_the_way_goes_however_young_it_is() -> None:
    live = order(BUY, "99.00", age_s=0)
    executor = QuotesExecutor("alt", CONFIG)

    _, step = after_wish(executor, view(live, bid="98.50"), quote(BUY, "98.00"), quote(SELL, "99"))

    assert cancels(step) == {live.client_id: "in the way of SELL 0 at 99"}
    assert places(step) == []


def test_wait_places_the_successor_once_the_cancel_is_proven() -> None:
    live = order(BUY, "99.00")
    executor = QuotesExecutor("alt", CONFIG)
    state, first = after_wish(executor, view(live), quote(BUY, "98.00"))
    gone = msgspec.structs.replace(live, state=OrderState.CANCELLED)

    asked = executor.step(
        state,
        OrderChanged(msgspec.structs.replace(live, state=OrderState.PENDING_CANCEL)),
        view(msgspec.structs.replace(live, state=OrderState.PENDING_CANCEL)),
    )
    proven = executor.step(asked.state, OrderChanged(gone), view(now_ns=NOW + SECOND // 2))
    again = executor.step(proven.state, OrderChanged(gone), view(now_ns=NOW + SECOND // 2))

    assert (places(first), asked.actions) == ([], ())
    assert places(proven) == [(BUY, 0, Decimal("98.00"))]
    assert again.actions == ()


def test_a_successor_of_an_old_decision_does_not_leave() -> None:
    live = order(BUY, "99.00")
    executor = QuotesExecutor("alt", CONFIG)
    state, _ = after_wish(executor, view(live), quote(BUY, "98.00"))
    gone = msgspec.structs.replace(live, state=OrderState.CANCELLED)

    late = executor.step(state, OrderChanged(gone), view(now_ns=NOW + SECOND))

    assert late.actions == ()
    assert late.state.outstanding == ()


@pytest.mark.parametrize("by", ["the order", "the fill"])
def test_what_fills_while_it_is_replaced_is_not_bought_twice(by: str) -> None:
    live = order(BUY, "99.00")
    executor = QuotesExecutor("alt", CONFIG)
    state, _ = after_wish(executor, view(live), quote(BUY, "98.00"))
    gone = msgspec.structs.replace(
        live, state=OrderState.CANCELLED, filled=Decimal(1 if by == "the order" else 0)
    )

    if by == "the fill":
        state = executor.step(state, Filled(fill_of(live.client_id), live.slot), view(live)).state
    step = executor.step(state, OrderChanged(gone), view())

    assert step.actions == ()


def test_together_replaces_in_one_dispatch_cancel_first() -> None:
    live = order(BUY, "99.00")
    executor = QuotesExecutor("alt", TOGETHER)

    _, step = after_wish(executor, view(live), quote(BUY, "98.00"))

    assert [type(action) for action in step.actions] == [Cancel, Place]


def test_together_waits_while_the_successor_would_cross_an_own_order() -> None:
    low, high = order(SELL, "100.00"), order(BUY, "99.00")
    executor = QuotesExecutor("alt", TOGETHER)
    ladder = (quote(SELL, "101.00"), quote(BUY, "100.20"))

    state, step = after_wish(executor, view(low, high, bid="99.90", ask="100.60"), *ladder)
    gone = msgspec.structs.replace(low, state=OrderState.CANCELLED)
    still = msgspec.structs.replace(high, state=OrderState.PENDING_CANCEL)
    later = executor.step(state, OrderChanged(gone), view(still))

    assert places(step) == [(SELL, 0, Decimal("101.00"))]
    assert [item.quote.side for item in step.state.outstanding] == [BUY]
    assert later.actions == ()


def test_a_second_order_in_a_slot_is_cancelled() -> None:
    older, newer = order(BUY, "99.00", age_s=20), order(BUY, "99.00", age_s=10)
    executor = QuotesExecutor("alt", TOGETHER)

    _, step = after_wish(executor, view(older, newer), quote(BUY, "99.00"))

    assert cancels(step) == {older.client_id: "its slot holds another order"}


def test_a_slot_with_an_order_in_doubt_is_not_renewed() -> None:
    leaving = order(BUY, "99.00", state=OrderState.PENDING_CANCEL)
    executor = QuotesExecutor("alt", TOGETHER)

    _, step = after_wish(executor, view(leaving, order(BUY, "98.00")), quote(BUY, "97.00"))

    assert step.actions == ()


@pytest.mark.parametrize(
    ("wished", "bid", "ask"),
    [
        (quote(BUY, "100.50"), "99.50", "100.50"),
        (quote(SELL, "99.50"), "99.50", "100.50"),
        (quote(BUY, "90.00"), None, None),
    ],
    ids=["a buy at the ask", "a sell at the bid", "no valid book"],
)
def test_never_crosses_the_market(wished: Quote, bid: str | None, ask: str | None) -> None:
    executor = QuotesExecutor("alt", CONFIG)

    _, step = after_wish(executor, view(bid=bid, ask=ask), wished)

    assert step.actions == ()


def test_never_crosses_an_own_order_that_may_still_live() -> None:
    leaving = order(SELL, "100.00", state=OrderState.PENDING_CANCEL)
    executor = QuotesExecutor("alt", CONFIG)

    state, step = after_wish(executor, view(leaving), quote(BUY, "100.00"))
    gone = msgspec.structs.replace(leaving, state=OrderState.CANCELLED)
    later = executor.step(state, OrderChanged(gone), view())

    assert step.actions == ()
    assert places(later) == [(BUY, 0, Decimal("100.00"))]


def test_what_crosses_itself_in_a_wish_is_left_out() -> None:
    executor = QuotesExecutor("alt", CONFIG)
    ladder = (
        quote(BUY, "100.20"),
        quote(BUY, "99.00", level=1),
        quote(SELL, "100.10"),
        quote(SELL, "101.00", level=1),
    )

    _, step = after_wish(executor, view(), *ladder)

    assert places(step) == [(BUY, 1, Decimal("99.00")), (SELL, 1, Decimal("101.00"))]


@pytest.mark.parametrize(
    ("price", "pulled"), [("99.90", False), ("99.91", True)], ids=["at the bound", "closer"]
)
@pytest.mark.parametrize("event", [Wake(), wish(quote(BUY, "99.00"))], ids=["wake", "wish"])
def test_an_order_that_the_mid_approached_goes_at_once(
    event: Wake | Wish, price: str, pulled: bool
) -> None:
    live = order(BUY, price, age_s=0)
    config = replace(CONFIG, cancel_closer_than=Decimal("0.001"))
    executor = QuotesExecutor("alt", config)

    step = executor.step(executor.initial(), event, view(live))

    reason = "mid 9.0 bps away, closer than 10.0 bps"
    assert cancels(step) == ({live.client_id: reason} if pulled else {})


def test_what_would_be_pulled_at_once_is_not_placed() -> None:
    executor = QuotesExecutor("alt", replace(CONFIG, cancel_closer_than=Decimal("0.001")))

    _, step = after_wish(executor, view(), quote(BUY, "99.95"), quote(SELL, "100.20"))

    assert places(step) == [(SELL, 0, Decimal("100.20"))]


def test_a_pull_takes_everything_and_holds_until_the_next_wish() -> None:
    resting, unproven = order(BUY, "99.00"), order(SELL, "101.00", state=OrderState.UNKNOWN)
    sent = order(BUY, "98.00", level=1, state=OrderState.PENDING_CREATE)
    leaving = order(SELL, "102.00", level=1, state=OrderState.PENDING_CANCEL)
    executor = QuotesExecutor("alt", CONFIG)

    pull = executor.step(
        executor.initial(), Pull("book lost"), view(resting, unproven, sent, leaving)
    )
    landed = msgspec.structs.replace(sent, state=OrderState.OPEN)
    late = executor.step(pull.state, OrderChanged(landed), view(landed))
    stale = executor.step(late.state, wish(quote(BUY, "99.00"), at_ns=NOW - 1), view())
    fresh = executor.step(stale.state, wish(quote(BUY, "99.00")), view())

    assert cancels(pull) == dict.fromkeys(
        (resting.client_id, unproven.client_id, sent.client_id), "book lost"
    )
    assert cancels(late) == {sent.client_id: "book lost"}
    assert stale.actions == ()
    assert places(fresh) == [(BUY, 0, Decimal("99.00"))]


def test_after_a_stop_nothing_is_placed_any_more() -> None:
    resting = order(BUY, "99.00")
    executor = QuotesExecutor("alt", CONFIG)

    stop = executor.step(executor.initial(), Stop(), view(resting))
    after = executor.step(stop.state, wish(quote(SELL, "101.00")), view(resting))
    pulled = executor.step(after.state, Pull("book lost"), view(resting))

    assert cancels(stop) == {resting.client_id: "stop"}
    assert cancels(after) == cancels(pulled) == {resting.client_id: "stop"}
    assert len(after.actions) == len(pulled.actions) == 1


def test_between_wishes_an_order_that_nobody_wished_goes() -> None:
    executor = QuotesExecutor("alt", CONFIG)
    state, _ = after_wish(executor, view(), quote(BUY, "99.00"))
    wished, foreign = order(BUY, "97.00"), order(SELL, "101.00")

    step = executor.step(state, Wake(), view(wished, foreign, now_ns=NOW + 5 * SECOND))

    assert cancels(step) == {foreign.client_id: "not wished"}


def test_before_the_first_wish_what_rests_goes_on_resting() -> None:
    executor = QuotesExecutor("alt", CONFIG)

    step = executor.step(executor.initial(), Wake(), view(order(BUY, "99.00")))

    assert step.actions == ()


def test_the_state_survives_being_written_down() -> None:
    executor = QuotesExecutor("alt", CONFIG)
    state, _ = after_wish(executor, view(order(BUY, "99.00")), quote(BUY, "98.00"))

    again = msgspec.json.decode(msgspec.json.encode(state), type=QuotesState)

    assert again == state
    assert len(again.outstanding) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"refresh_every_ns": -1},
        {"keep_within": Decimal(-1)},
        {"size_within": Decimal(-1)},
        {"cancel_closer_than": Decimal(-1)},
    ],
    ids=str,
)
def test_a_plan_below_zero_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="-1 is below zero"):
        QuotesConfig(**change)
