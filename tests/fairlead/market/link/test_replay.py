from __future__ import annotations

from typing import TypeVar

from fairlead.market import AccountReplay
from fairlead.model import AccountEvent, Fill, OrderUpdate, Unavailable
from fairlead.testing import VirtualClock, fill, order_update, run_virtual

AnswerT = TypeVar("AnswerT")

_SECOND = 1_000_000_000


class Venue:
    def __init__(self) -> None:
        self.busy = 0
        self.asked: list[int] = []
        self.told: list[Fill] = []

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        self.asked.append(since_ns)
        return self._or_busy(tuple(self.told))

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        return self._or_busy((order_update(),))

    def _or_busy(self, answer: AnswerT) -> AnswerT | Unavailable:
        if self.busy:
            self.busy -= 1
            return Unavailable("busy")
        return answer


def test_fills_come_first_then_the_open_orders_as_often_as_it_takes() -> None:
    async def main(clock: VirtualClock) -> None:
        venue, published = Venue(), list[AccountEvent]()
        venue.told = [fill(trade_id="1"), fill(trade_id="2")]
        venue.busy = 3
        replay = AccountReplay(venue.fills, venue.open_orders, published.append, clock)

        await replay.replay()

        assert published == [*venue.told, order_update()]

    run_virtual(main)


def test_it_reads_from_a_while_before_the_last_fill_that_was_seen() -> None:
    async def main(clock: VirtualClock) -> None:
        venue, published = Venue(), list[AccountEvent]()
        replay = AccountReplay(
            venue.fills, venue.open_orders, published.append, clock, overlap_ns=10 * _SECOND
        )
        replay.begin(100 * _SECOND)
        await replay.replay()
        replay.saw(fill(at_ns=200 * _SECOND))
        replay.saw(fill(at_ns=150 * _SECOND))
        await replay.replay()

        assert venue.asked == [90 * _SECOND, 190 * _SECOND]

    run_virtual(main)


def test_what_a_replay_shows_counts_as_seen() -> None:
    async def main(clock: VirtualClock) -> None:
        venue = Venue()
        venue.told = [fill(at_ns=500 * _SECOND)]
        replay = AccountReplay(venue.fills, venue.open_orders, lambda event: None, clock)

        await replay.replay()

        assert replay.seen_ns == 500 * _SECOND

    run_virtual(main)
