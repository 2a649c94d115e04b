"""Each sentence of the paper-fill rules: where an order stands in the queue at its price."""

from __future__ import annotations

import pytest

from fairlead.market import QueueModel
from fairlead.model import Side
from tests.fairlead.market.matching_world import World

BUY, SELL = Side.BUY, Side.SELL
MODELS = list(QueueModel)


# --- an own order joins at its arrival behind the quantity shown then


def test_an_order_joins_behind_the_quantity_shown_at_its_arrival() -> None:
    world = World()

    world.diff(bids=[(100, 7)])
    world.place(BUY, 100, 5, key="own")

    assert world.matcher.ahead("own") == 7


def test_an_order_alone_at_its_price_has_nothing_ahead() -> None:
    world = World()

    world.place(BUY, 101, 5, key="own")

    assert world.matcher.ahead("own") == 0


def test_what_joins_the_price_later_stands_behind_the_own_order() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    world.diff(bids=[(100, 60)])

    assert world.matcher.ahead("own") == 10


# --- what is ahead shrinks by prints at its price and never exceeds the quantity shown


def test_a_print_at_its_price_shrinks_what_is_ahead() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    matches = world.trade(SELL, 100, 4)

    assert matches == []
    assert world.matcher.ahead("own") == 6


def test_a_print_at_its_price_by_a_taker_of_the_same_side_says_nothing() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")

    matches = world.trade(BUY, 100, 40)

    assert matches == []
    assert world.matcher.ahead("own") == 10


@pytest.mark.parametrize("model", MODELS)
def test_what_is_ahead_never_exceeds_the_quantity_shown(model: QueueModel) -> None:
    world = World(model)
    world.place(BUY, 100, 5, key="own")

    world.diff(bids=[(100, 3)])

    ahead = world.matcher.ahead("own")
    assert ahead is not None
    assert ahead <= 3


# --- conservative ignores other cancels, probabilistic shares them out


def test_conservative_believes_that_others_cancel_behind_us() -> None:
    world = World(QueueModel.CONSERVATIVE)
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 20)])

    world.diff(bids=[(100, 12)])

    assert world.matcher.ahead("own") == 10


def test_probabilistic_shares_a_cancel_out_in_proportion() -> None:
    world = World(QueueModel.PROBABILISTIC)
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 20)])

    world.diff(bids=[(100, 12)])

    # 8 of 20 cancelled, half of the 20 stood ahead.
    assert world.matcher.ahead("own") == 6


def test_probabilistic_never_rounds_in_our_favour() -> None:
    world = World(QueueModel.PROBABILISTIC)
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 30)])

    world.diff(bids=[(100, 28)])

    assert world.matcher.ahead("own") == 10


# --- a level decrease already explained by a print is not counted again


@pytest.mark.parametrize("model", MODELS)
def test_a_decrease_that_a_print_explains_is_not_counted_again(model: QueueModel) -> None:
    world = World(model)
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 20)])

    world.trade(SELL, 100, 4)
    world.diff(bids=[(100, 16)])

    assert world.matcher.ahead("own") == 6


def test_only_the_part_of_a_decrease_beyond_the_prints_is_shared_out() -> None:
    world = World(QueueModel.PROBABILISTIC)
    world.place(BUY, 100, 5, key="own")
    world.diff(bids=[(100, 20)])

    world.trade(SELL, 100, 4)
    world.diff(bids=[(100, 8)])

    # 8 of the 16 left were cancelled; of them 6 stood ahead.
    assert world.matcher.ahead("own") == 3


def test_a_print_stamped_before_the_decrease_that_shows_it_is_not_counted_again() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")
    before_ns = world.now_ns
    world.diff(bids=[(100, 6)])

    matches = world.trade(SELL, 100, 4, venue_ns=before_ns)

    assert matches == []
    assert world.matcher.ahead("own") == 6


def test_a_late_print_counts_for_what_the_decrease_did_not_show() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")
    before_ns = world.now_ns
    world.diff(bids=[(100, 6)])

    world.trade(SELL, 100, 7, venue_ns=before_ns)

    assert world.matcher.ahead("own") == 3


def test_late_prints_together_are_spared_once_what_the_decrease_showed() -> None:
    world = World()
    world.place(BUY, 100, 5, key="own")
    before_ns = world.now_ns
    world.diff(bids=[(100, 6)])

    world.trade(SELL, 100, 3, venue_ns=before_ns)
    world.trade(SELL, 100, 3, venue_ns=before_ns)

    assert world.matcher.ahead("own") == 4


def test_a_print_stamped_before_the_book_that_was_joined_does_not_serve_us() -> None:
    world = World()
    before_ns = world.now_ns
    world.diff(bids=[(100, 6)])
    world.place(BUY, 100, 5, key="own")

    matches = world.trade(SELL, 100, 50, venue_ns=before_ns)

    assert matches == []
    assert world.matcher.ahead("own") == 6
