"""What a plan across exchanges fills it hedges, at once and once, until its end."""

from decimal import Decimal

from fairlead.api import Denied, OrderView
from fairlead.execution.xemm import XemmExecutor
from fairlead.model import OrderState, Purpose, Side, TimeInForce
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.xemm_kit import (
    MAKER,
    RULES,
    TAKER,
    denial,
    hedges,
    plan,
    quoting,
    waiting,
)


def hedge(kit: Kit) -> OrderView:
    return kit.only(1)


# Hedging.


def test_a_hedge_goes_as_deep_as_it_needs_and_a_cushion_beyond() -> None:
    kit = quoting()
    kit.book(TAKER, [("100.00", 2), ("99.95", 20)], [("100.02", 10)])

    kit.fill(kit.only(0), 3)

    # 10 bps below 99.95, although 99.68 would be within its bound.
    assert hedges(kit)[0].price == Decimal("99.86")


def test_a_hedge_that_a_band_refuses_at_its_bound_is_taken_where_the_book_is() -> None:
    kit = quoting(plan(slippage_buffer="2%", loss_cap="2%"))
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.price < Decimal("99.5") else None
    )

    kit.fill(kit.only(0), 10)
    kit.settle()

    assert kit.refusals == []
    assert kit.end == "done"


def test_a_hedge_that_is_too_deep_for_a_band_is_made_in_pieces() -> None:
    kit = quoting(plan(slippage_buffer="2%", loss_cap="2%"))
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.price < Decimal("99.5") else None
    )
    kit.book(TAKER, [("100.00", 3), ("99.00", 20)], [("100.02", 10)])
    kit.fill(kit.only(0), 10)
    for _ in range(6):
        kit.advance(1)
        kit.settle()
        kit.book(TAKER, [("100.00", 3), ("99.00", 20)], [("100.02", 10)])

    assert [place.quantity for place in hedges(kit)] == [10, 5, 2, 2, 2, 2, 2]
    assert [place.price for place in hedges(kit)][1:3] == [Decimal("99.00"), Decimal("100.00")]
    assert kit.end == "done"


def test_what_a_hedge_gives_up_survives_a_restart() -> None:
    kit = quoting()
    kit.refuse = lambda intent: (
        Denied("price_band", Decimal(60), Decimal(50)) if intent.quantity > 5 else None
    )
    kit.fill(kit.only(0), 10)

    kit.restart()

    assert [(int(place.quantity), place.price) for place in hedges(kit)] == [
        (10, Decimal("99.90")),
        (5, Decimal("100.00")),
    ]


def test_what_would_be_hedged_beyond_its_bound_does_not_begin() -> None:
    kit = waiting()
    kit.book(TAKER, [("100.00", 5), ("99.00", 5)], [("100.02", 10)])

    denied = denial(kit)

    assert (denied.rule, denied.observed) == ("xemm_bound", Decimal(99))
    assert "hedging 10 reaches beyond its bound" in denied.detail


def test_each_fill_is_hedged_at_once_at_a_bounded_price() -> None:
    kit = quoting(plan(cushion="20%"))

    kit.fill(kit.only(0), 3)

    (place,) = hedges(kit)
    assert (place.side, place.purpose) == (Side.SELL, Purpose.HEDGE)
    assert place.quantity == 3
    # 30 bps below what the book promises: 99.70; nearer than 50 bps below 99.83.
    assert place.price == Decimal("99.70")
    assert place.time_in_force is TimeInForce.IOC
    assert not place.post_only


def test_the_loss_cap_bounds_a_hedge_too() -> None:
    kit = quoting(plan(cushion="20%"))
    kit.book(TAKER, [("99.60", 100)], [("99.62", 100)])

    kit.fill(kit.only(0), 3)

    assert hedges(kit)[0].price == Decimal("99.34")


def test_a_fill_while_a_hedge_is_under_way_is_hedged_once_that_is_over() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 3)

    kit.fill(kit.only(0), 4)
    assert len(hedges(kit)) == 1
    kit.fill(hedge(kit))

    assert [place.quantity for place in hedges(kit)] == [3, 4]


def test_the_rest_of_a_hedge_is_tried_again_on_the_next_tick() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    kit.fill(hedge(kit), 2)
    kit.cancelled(hedge(kit))
    assert len(hedges(kit)) == 1

    kit.advance(1)

    assert [place.quantity for place in hedges(kit)] == [5, 3]
    # While it is behind, it does not take on more.
    assert kit.only(0).state is OrderState.PENDING_CANCEL


def test_an_unproven_hedge_is_not_sent_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    kit.lose(hedge(kit))

    kit.advance(5)

    assert len(hedges(kit)) == 1


def test_fills_below_the_takers_minimum_add_up() -> None:
    kit = quoting(min_quantity=4)

    kit.fill(kit.only(0), 3)
    kit.advance(30)
    assert hedges(kit) == []
    assert kit.only(0).state is OrderState.PARTIALLY_FILLED
    kit.fill(kit.only(0), 2)

    assert hedges(kit)[0].quantity == 5


def test_a_fill_during_the_cancel_is_hedged() -> None:
    kit = quoting()
    kit.quote(TAKER, "99.94", "99.96")
    assert kit.only(0).state is OrderState.PENDING_CANCEL

    kit.fill(kit.only(0), 6)

    assert hedges(kit)[0].quantity == 6


def test_a_fill_after_the_cancel_is_hedged() -> None:
    kit = quoting()
    order = kit.only(0)
    kit.stop()
    kit.fill(order, 6)
    kit.cancelled(order)

    kit.fill_late(order, 2)
    kit.fill(hedge(kit))

    assert [place.quantity for place in hedges(kit)] == [6, 2]
    kit.fill(hedge(kit))
    assert kit.end == "stopped"


def test_a_restart_hedges_what_was_filled_and_not_hedged() -> None:
    kit = quoting()

    kit.restart(fills={kit.only(0).client_id: Decimal(4)})

    assert [place.quantity for place in hedges(kit)] == [4]
    kit.fill(hedge(kit))
    kit.advance(1)
    assert kit.only(0).quantity == 6


# The end.


def test_what_is_not_hedged_yet_eats_from_the_same_book_first() -> None:
    kit = quoting(min_quantity=4)
    kit.fill(kit.only(0), 3)
    kit.cancelled(kit.only(0))
    kit.book(TAKER, [("100.00", 7), ("99.00", 3)], [("100.02", 10)])

    kit.advance(1)

    # Ten to hedge for a quote of seven: 99.70 on average.
    assert (str(kit.only(0).quantity), str(kit.only(0).price)) == ("7", "99.53")


def test_a_restart_gives_a_hedge_its_time_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 4)
    kit.now_ns += 3_600_000_000_000

    kit.restart()

    assert kit.end == ""
    assert len(hedges(kit)) == 2
    kit.advance(9)
    assert kit.only(1).state is OrderState.PENDING_CREATE
    assert not kit.asked[kit.only(1).client_id]


def test_it_ends_when_all_is_filled_and_hedged() -> None:
    kit = quoting()

    kit.fill(kit.only(0))
    assert kit.end == ""
    kit.fill(hedge(kit), price="100.00")

    assert kit.end == "done"
    assert kit.last is not None
    assert kit.last.complete
    # 17 bps between the prices, less 2 and 5 of fees.
    assert kit.notes == {"profitability": "10.02 bps"}


def test_a_fill_that_cannot_be_hedged_ends_it_with_a_residual() -> None:
    kit = quoting()
    kit.quote(TAKER, "98.00", "98.02")
    kit.fill(kit.only(0), 4)

    kit.run(12)

    assert kit.end == "not hedged"
    assert kit.residual == {MAKER: Decimal(4)}
    assert "4 not hedged" in kit.notes["incident"]
    assert kit.live == {}


def test_a_hedge_that_never_answers_is_cancelled_when_the_time_is_over() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 4)
    kit.ack(hedge(kit))

    kit.advance(10)

    assert hedge(kit).state is OrderState.PENDING_CANCEL


def test_progress_gives_a_hedge_its_time_again() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 10)
    kit.advance(9)
    kit.fill(hedge(kit), 2)

    kit.advance(9)

    assert kit.end == ""
    assert hedge(kit).state is not OrderState.PENDING_CANCEL


def test_a_stop_takes_the_quote_away_and_hedges_what_it_filled() -> None:
    kit = quoting()
    kit.stop()
    assert kit.only(0).state is OrderState.PENDING_CANCEL

    kit.fill(kit.only(0), 2)
    kit.cancelled(kit.only(0))
    assert kit.end == ""
    kit.fill(hedge(kit))

    assert kit.end == "stopped"
    assert kit.last is not None
    assert not kit.last.complete


def test_a_plan_whose_orders_are_refused_says_so_in_the_end() -> None:
    kit = waiting(plan(time_limit="20 s"))
    kit.refuse = lambda intent: Denied("max_order", intent.quantity, Decimal(5))
    kit.start()

    kit.advance(20)

    assert kit.end == "time limit"
    assert kit.notes["last refused"] == "thin:ALT/USDT entry: max_order"


def test_the_time_limit_ends_the_quoting() -> None:
    kit = quoting(plan(time_limit="20 s"))

    kit.advance(19)
    assert kit.only(0).state is OrderState.OPEN
    kit.advance(1)

    assert kit.only(0).state is OrderState.PENDING_CANCEL
    kit.cancelled(kit.only(0))
    assert kit.end == "time limit"


def test_what_is_below_the_takers_minimum_in_the_end_is_kept_and_said() -> None:
    kit = quoting(min_quantity=4)
    kit.fill(kit.only(0), 3)

    kit.stop()
    kit.cancelled(kit.only(0))

    assert kit.end == "the rest is too small for an order"
    assert kit.kept == {MAKER: Decimal(3)}
    assert kit.residual == {}


def test_a_rest_that_the_maker_does_not_take_ends_it() -> None:
    instruments = [
        instrument(MAKER, **(RULES | {"min_quantity": 4})),
        instrument(TAKER, **RULES),
    ]
    kit = Kit(XemmExecutor, plan(), instruments)
    kit.quote(MAKER, "99.50", "100.50")
    kit.quote(TAKER, "100.00", "100.02")
    kit.start()
    kit.ack(kit.only(0))
    kit.fill(kit.only(0), 7)
    kit.fill(hedge(kit))

    kit.cancelled(kit.only(0))

    assert kit.end == "the rest is too small for an order"
    assert kit.view.exposure(TAKER) == -7


def test_what_is_hedged_too_much_is_bought_back() -> None:
    kit = quoting()
    kit.fill(kit.only(0), 5)
    first = hedge(kit)
    kit.cancelled(first)
    kit.advance(1)
    kit.fill(hedge(kit))

    kit.fill_late(first, 3)
    kit.advance(1)

    place = hedges(kit)[-1]
    assert (place.side, str(place.quantity)) == (Side.BUY, "3")
