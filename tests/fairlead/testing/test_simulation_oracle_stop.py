"""What the judges of stops, of the dead and of haste let pass, and what not: without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from fairlead.kernel import StopReason, VirtualClock
from fairlead.model import Side
from fairlead.store import CancelAsked, FillBooked
from fairlead.testing import SimulatedVenue
from fairlead.testing.neutral import Cancel, CancelBatch
from fairlead.testing.simulation.oracle_stop import ProtectionOracle, StopOracle
from fairlead.testing.simulation.oracle_time import HasteOracle
from tests.fairlead.testing.oracle_kit import (
    MARKET,
    OURS,
    SECOND,
    TICK,
    Trade,
    Watch,
    in_venue,
    life,
    made,
    result,
)

BUY = Side.BUY
LEFT = "a proven stop leaves no order"


# --- stops


def test_a_proven_stop_leaves_nothing_then_or_later() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        oracle = StopOracle(watch.add, {"main": venue})
        trade = Trade(venue, oracle)
        late = trade.write(BUY, 10)
        trade.cancel(trade.place(BUY, 10))
        venue.deeds.external_order()
        oracle.ended(trade.life, result())
        venue.deeds.external_order()
        assert watch.broken == []

        trade.land(late, BUY, 10)
        assert watch.broken == [LEFT]
        oracle.ended(trade.life, result())
        assert watch.broken == [LEFT, LEFT]

        # The next process may place what it likes.
        trade.begin()
        trade.place(BUY, 10)
        assert watch.broken == [LEFT, LEFT]

    in_venue(tell)


def test_a_stop_without_proof_names_what_may_be_left() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        oracle = StopOracle(watch.add, {"main": venue})
        trade = Trade(venue, oracle)
        trade.place(BUY, 10)
        oracle.ended(trade.life, replace(result(), proven=False, left=(OURS,)))
        trade.place(BUY, 10)
        assert watch.broken == []

        oracle.ended(trade.life, replace(result(), proven=False))
        assert watch.broken == ["a stop without proof names what may be left"]

    in_venue(tell)


def test_no_part_of_an_engine_fails() -> None:
    watch = Watch()

    StopOracle(watch.add, {}).ended(life(), result(StopReason.FAILED))

    assert watch.broken == ["no part of the engine fails"]


def test_the_orders_of_the_dead_are_gone_once_the_timer_has_run_out() -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        oracle = ProtectionOracle(watch.add, {"main": venue}, watch.now_ns, 30 * SECOND)
        trade = Trade(venue, oracle)
        name = trade.place(BUY, 10)
        watch.pass_s(100)
        oracle.second()
        oracle.killed(trade.life)
        watch.pass_s(32)
        oracle.second()
        assert watch.broken == []

        watch.pass_s(1)
        oracle.second()
        assert watch.broken == ["quotes of the dead are cancelled"]

        trade.cancel(name)
        oracle.second()
        trade.place(BUY, 10)
        trade.begin()
        oracle.second()
        assert len(watch.broken) == 1

    in_venue(tell)


# --- haste


class Haste:
    """The judge of haste, and a venue that turned nobody away since ``shut_until_ns``."""

    def __init__(self, venues: Mapping[str, SimulatedVenue]) -> None:
        self.watch = Watch()
        self.shut_until_ns = 0
        self.oracle = HasteOracle(
            self.watch.add, venues, self.watch.now_ns, lambda: self.shut_until_ns
        )
        self.oracle.begun(life())

    def ask(self, order: str = OURS) -> None:
        self.oracle.recorded(life(), 1, CancelAsked(order, "so"))

    def leave(self, order: str = OURS) -> None:
        self.oracle.cancelling(life(), "main", CancelBatch(0, SECOND, (Cancel(order),)))

    def tick(self) -> None:
        self.oracle.recorded(life(), 1, TICK)


def test_a_cancel_that_is_asked_for_leaves_in_the_same_turn() -> None:
    haste = Haste({})
    haste.ask()
    haste.ask("another")
    haste.watch.pass_s(0.001)
    haste.leave("another")
    haste.leave()
    haste.watch.pass_s(1)
    haste.tick()
    assert haste.watch.broken == []

    haste.ask()
    haste.watch.pass_s(0.0011)
    haste.tick()
    assert haste.watch.broken == ["a cancel waits for nothing"]


def test_a_cancel_may_wait_for_a_venue_that_is_shut_and_the_dead_ask_for_none() -> None:
    haste = Haste({})
    haste.ask()
    haste.shut_until_ns = haste.watch.now
    haste.watch.pass_s(5)
    haste.tick()
    haste.ask()
    haste.oracle.begun(life())
    haste.watch.pass_s(5)
    haste.tick()

    assert haste.watch.broken == []


@pytest.mark.parametrize(("numbered", "bound"), [(True, 60), (False, 75)])
def test_a_fill_is_known_within_a_bound_where_the_venue_answers(numbered: bool, bound: int) -> None:
    def tell(venue: SimulatedVenue, clock: VirtualClock) -> None:
        venue.knobs.numbered = numbered
        haste = Haste({"main": venue})
        trade = Trade(venue, haste.oracle)
        booked = trade.place(BUY, 20)
        trade.fill(booked, 0.5)
        trade.record(made(FillBooked, market=MARKET, trade=venue.truth.fills[-1].trade_id))
        trade.fill(booked)
        haste.watch.pass_s(bound)
        haste.tick()
        assert haste.watch.broken == []

        haste.watch.pass_s(1)
        haste.shut_until_ns = haste.watch.now - SECOND
        haste.tick()
        assert haste.watch.broken == []

        haste.watch.pass_s(bound)
        haste.tick()
        assert haste.watch.broken == ["no fill stays unknown"]

    in_venue(tell)


def test_a_stream_that_tells_nothing_is_given_up() -> None:
    venue = SimpleNamespace(muted=1)
    haste = Haste({"main": cast("SimulatedVenue", venue)})
    haste.oracle.second()
    haste.watch.pass_s(30)
    haste.oracle.second()
    venue.muted = 0
    haste.oracle.second()
    venue.muted = 1
    haste.oracle.second()
    haste.watch.pass_s(30)
    haste.oracle.second()
    assert haste.watch.broken == []

    haste.watch.pass_s(1)
    haste.oracle.second()
    assert haste.watch.broken == ["a stream is judged by what it says"]
