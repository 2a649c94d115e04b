"""However news, kills and starts follow each other, each trade is booked once and none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.kernel.booking import Booking
from fairlead.kernel.start import fills_since
from fairlead.ledger import AccountLedger, StrategyTerms
from fairlead.model import Accepted, Fill, OrderState
from fairlead.store import LATE_NEWS_NS, Incident, Journal, RunIdentity
from fairlead.testing import (
    MARKET,
    MemoryDisk,
    MemoryTrace,
    StillClock,
    client_id,
    fill,
    instrument,
    intent,
    order_update,
)
from fairlead.trackers import OrderTracker

SECOND = 1_000_000_000
BEGAN_NS = 1_000 * SECOND
ORDERS = (1, 2)
TRADES = 3
# What happens next, to which order or trade, and how long after.
Act = tuple[str, int, int]
ACTS = ("cancel", "list", "tell", "query", "commit", "kill", "open")


def _trade(number: int, quantity: int = 2) -> Fill:
    order, place = divmod(number, TRADES)
    at_ns = BEGAN_NS + place
    return fill(ORDERS[order], trade_id=f"t{number}", quantity=quantity, at_ns=at_ns)


FILLS = tuple(_trade(number) for number in range(len(ORDERS) * TRADES))


class Story:
    """A venue that tells when it likes, and processes that die while it does.

    Every trade happens at the begin; when it can be found, and what is told of it, is drawn.
    """

    def __init__(self) -> None:
        self.clock = StillClock(BEGAN_NS)
        self.disk = MemoryDisk()
        self.listed: set[int] = set()
        self.begin()
        for number in ORDERS:
            self.orders.record(intent(number, quantity=10), self.clock.now_ns())
            self.orders.apply_outcome(client_id(number), Accepted(f"v{number}"), 0)
        self.commit()

    def begin(self) -> RunIdentity:
        """Start a process on what the disk has."""
        store = self.disk.open()
        identity = store.begin_run(
            "demo",
            mode="rehearse",
            seed=None,
            config_hash="c",
            config_text="",
            now_ns=self.clock.now_ns(),
            new_tag=lambda: 1,
        )
        self.trace = MemoryTrace()
        journal = self.journal = Journal(store, self.clock, self.trace)
        self.orders = OrderTracker(journal)
        ledger = AccountLedger("USDT", [StrategyTerms("other", instrument())])
        self.booking = Booking(ledger, self.orders, {}, journal, self.clock.now_ns)
        for left in identity.earlier:
            number = ORDERS.index(next(n for n in ORDERS if client_id(n) == left.client_id))
            self.orders.restore(intent(ORDERS[number], quantity=10), left)
        since_ns = fills_since(identity.earlier, (MARKET.venue,), self.clock.now_ns())
        self.since_ns = since_ns[MARKET.venue]
        return identity

    def act(self, act: Act) -> None:
        name, number, seconds = act
        self.clock.pass_ns(seconds * SECOND)
        match name:
            case "cancel":
                self.cancel(ORDERS[number % len(ORDERS)])
            case "list":
                self.listed.add(number)
            case "tell":
                self.booking.book(FILLS[number])
            case "query":
                self.query()
            case "open":
                self.booking.opened = True
            case "commit":
                self.commit()
            case _:
                self.disk = self.disk.crash()
                self.begin()

    def commit(self) -> None:
        """Have the disk take all so far; what comes after it dies with the process."""
        next(self.journal.durable(self.journal.seq).__await__(), None)

    def cancel(self, number: int) -> None:
        """Tell the end of an order, with what of it can be found by now."""
        own = [n for n in self.listed if FILLS[n].client_id == client_id(number)]
        filled = sum((FILLS[n].quantity for n in own), start=Decimal(0))
        self.orders.apply_update(order_update(number, OrderState.CANCELLED, filled=filled), 0)

    def query(self) -> None:
        """Read the fills that are listed, as far back as a reading does."""
        found = [FILLS[number] for number in sorted(self.listed)]
        for one in found:
            if one.venue_ns >= self.since_ns - LATE_NEWS_NS:
                self.since_ns = max(self.since_ns, one.venue_ns)
                self.booking.book(one)

    def stored(self) -> list[str]:
        """Name the trades that all processes have stored."""
        reader = self.disk.reader()
        return [row["trade_id"] for run in reader.runs() for row in reader.fills(run.run_id)]


acts = st.tuples(
    st.sampled_from(ACTS),
    st.integers(0, len(FILLS) - 1),
    st.integers(0, LATE_NEWS_NS // SECOND // 15),
)


@given(st.lists(acts, max_size=12), st.integers(0, 3_600))
def test_each_trade_is_booked_once_whatever_ends_dies_and_starts_in_between(
    drawn: Sequence[Act], away: int
) -> None:
    story = Story()

    for act in drawn:
        story.act(act)
        assert len(set(story.stored())) == len(story.stored())
    ended = {
        n for n in ORDERS if client_id(n) not in {one.client_id for one in story.orders.live()}
    }
    story.commit()
    story.listed.update(range(len(FILLS)))
    story.act(("kill", 0, away))
    live = {one.client_id for one in story.orders.live()}
    story.query()
    story.query()
    story.commit()

    assert live == {client_id(number) for number in ORDERS if number not in ended}
    assert sorted(story.stored()) == sorted(one.trade_id for one in FILLS)
    for number in ORDERS:
        order = story.orders.get(client_id(number))
        assert order is not None
        assert order.filled == sum(
            one.quantity for one in FILLS if one.client_id == order.client_id
        )
    assert "foreign_fill" not in [one.name for one in story.trace.of(Incident)]
