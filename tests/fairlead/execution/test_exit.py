"""Leaving a position: never beyond the bound, never more than is left, never two at a time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import (
    Cancel,
    ExecutorView,
    Filled,
    OrderChanged,
    OrderView,
    Place,
    Stop,
    Wake,
    Wish,
)
from fairlead.execution import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.model import Purpose, Side, TimeInForce
from fairlead.testing import fill
from tests.fairlead.execution.factory import MARKET, order, slot, view


def plan(side: Side = Side.SELL, quantity: str = "25", bound: str = "99") -> ExitPlan:
    return ExitPlan("alt", MARKET, side, Decimal(quantity), Decimal(bound), Decimal(100))


def placed(step_actions: tuple[object, ...]) -> Place:
    (place,) = step_actions
    assert isinstance(place, Place)
    return place


def exit_order(side: Side, price: Decimal, quantity: Decimal) -> OrderView:
    return order(side, str(price), str(quantity), level=EXIT_LEVEL)


def test_what_is_left_is_asked_for_at_the_bound_and_at_once() -> None:
    executor = ExitExecutor(plan())

    step = executor.step(executor.initial(), Wake(), view())

    place = placed(step.actions)
    assert (place.side, place.price, place.quantity) == (Side.SELL, Decimal(99), Decimal(25))
    assert place.time_in_force is TimeInForce.IOC
    assert place.purpose is Purpose.EXIT
    assert not place.post_only
    assert place.slot.level == EXIT_LEVEL
    assert place.reasons[0].detail == "100.0 bps at most"


@pytest.mark.parametrize(
    ("side", "bound", "bid", "ask", "price"),
    [
        (Side.SELL, "99", "101.95", "102.05", "100.98"),
        (Side.BUY, "101", "97.95", "98.05", "98.98"),
        (Side.SELL, "99", "99", "99.15", "99"),
        (Side.BUY, "101", "100.85", "101", "101"),
    ],
)
def test_it_goes_no_further_through_a_market_that_has_come_its_way(
    side: Side, bound: str, bid: str, ask: str, price: str
) -> None:
    executor = ExitExecutor(plan(side, bound=bound))

    step = executor.step(executor.initial(), Wake(), view(bid=bid, ask=ask))

    # As far from the mid of the moment as the bound was at the decision, never beyond it.
    assert placed(step.actions).price == Decimal(price)


def test_nothing_more_leaves_while_an_order_may_still_fill() -> None:
    executor = ExitExecutor(plan())
    mine = exit_order(Side.SELL, Decimal(99), Decimal(25))

    step = executor.step(executor.initial(), Wake(), view(mine))

    assert step.actions == ()
    assert step.state == executor.initial()


def test_fills_shrink_what_is_left_until_it_is_done() -> None:
    executor = ExitExecutor(plan())
    first = executor.step(
        executor.initial(), Filled(fill(quantity=20), slot(Side.SELL, EXIT_LEVEL)), view()
    )
    assert first.state.left == 5
    assert placed(executor.step(first.state, Wake(), view()).actions).quantity == 5

    last = executor.step(first.state, Filled(fill(quantity=5), slot(Side.SELL, EXIT_LEVEL)), view())

    assert last.state.end is ExitEnd.DONE
    assert executor.step(last.state, Wake(), view()).actions == ()


def test_less_than_a_lot_is_dust() -> None:
    executor = ExitExecutor(plan(quantity="0.7"))

    step = executor.step(executor.initial(), Wake(), view())

    assert step.actions == ()
    assert step.state.end is ExitEnd.DUST


@pytest.mark.parametrize("bid", [None, "98.99"], ids=["no book", "beyond the bound"])
def test_it_gives_up_after_five_looks_at_nothing_within_the_bound(bid: str | None) -> None:
    executor = ExitExecutor(plan())
    state = executor.initial()

    for _ in range(4):
        step = executor.step(state, Wake(), view(bid=bid))
        assert step.actions == ()
        assert step.state.end is None
        state = step.state

    assert executor.step(state, Wake(), view(bid=bid)).state.end is ExitEnd.BOUND


def test_a_look_at_something_begins_the_count_anew() -> None:
    executor = ExitExecutor(plan())
    state = ExitState(Decimal(25), empty=4)

    assert executor.step(state, Wake(), view()).state.empty == 0


def test_a_stop_cancels_what_may_still_fill() -> None:
    executor = ExitExecutor(plan())
    mine = exit_order(Side.SELL, Decimal(99), Decimal(25))

    step = executor.step(executor.initial(), Stop(), view(mine))

    assert step.actions == (Cancel(mine.client_id, "stopped"),)
    assert step.state.end is ExitEnd.STOPPED


def test_news_and_wishes_of_others_change_nothing() -> None:
    executor = ExitExecutor(plan())
    mine = exit_order(Side.SELL, Decimal(99), Decimal(25))

    for event in (OrderChanged(mine), Wish((), 0)):
        step = executor.step(executor.initial(), event, view())
        assert (step.state, step.actions) == (executor.initial(), ())


@given(
    side=st.sampled_from(Side),
    quantity=st.decimals("0.1", "500", places=2),
    bound=st.decimals("80", "120", places=3),
    looks=st.lists(
        st.tuples(
            st.one_of(st.none(), st.decimals("70", "130", places=2)),
            st.decimals("0", "1", places=2),
        ),
        max_size=25,
    ),
)
def test_no_order_is_ever_beyond_the_bound_or_more_than_is_left(
    side: Side,
    quantity: Decimal,
    bound: Decimal,
    looks: list[tuple[Decimal | None, Decimal]],
) -> None:
    executor = ExitExecutor(plan(side, str(quantity), str(bound)))
    state, filled = executor.initial(), Decimal(0)

    for best, share in looks:
        market: ExecutorView = view(
            bid=None if best is None else str(best), ask=None if best is None else str(best)
        )
        step = executor.step(state, Wake(), market)
        state = step.state
        for action in step.actions:
            place = placed((action,))
            assert place.side is side
            assert side.sign * place.price <= side.sign * bound
            assert 0 < place.quantity <= quantity - filled
            part = (place.quantity * share).quantize(Decimal(1))
            if part:
                filled += part
                event = Filled(fill(quantity=part), place.slot)
                state = executor.step(state, event, market).state
    assert state.left == quantity - filled
