"""The law of paper fills under any sequence of events.

Filled quantity ≤ prints at or through the price + quantity that crossed it; per order over its
life, and for all own orders together at each event.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from fairlead.market import QueueModel, Standing
from fairlead.model import Level, Liquidity, Side, TimeInForce
from tests.fairlead.market.matching_world import World, filled

PRICES = st.integers(94, 108)
QUANTITIES = st.integers(1, 12)
SIDES = st.sampled_from(list(Side))


@dataclass
class Diff:
    changes: list[tuple[Side, int, int]]
    snapshot: bool


@dataclass
class Print:
    taker: Side
    price: int
    quantity: int
    late: bool


@dataclass
class Place:
    side: Side
    price: int
    quantity: int
    time_in_force: TimeInForce
    post_only: bool


@dataclass
class Cancel:
    which: int


ACTIONS = st.one_of(
    st.builds(
        Diff,
        st.lists(st.tuples(SIDES, PRICES, st.integers(0, 12)), max_size=6),
        st.integers(0, 9).map(lambda n: n == 0),
    ),
    st.builds(Print, SIDES, PRICES, QUANTITIES, st.booleans()),
    st.builds(
        Place,
        SIDES,
        PRICES,
        st.integers(1, 30),
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        st.booleans(),
    ),
    st.builds(Cancel, st.integers(0, 50)),
)


@dataclass
class Own:
    side: Side
    price: int
    quantity: int
    #: What could have served it: prints at or through its price, and what crossed it.
    due: int = 0
    got: int = 0
    live: bool = True

    def reaches(self, price: int) -> bool:
        return self.side.sign * price <= self.side.sign * self.price


@dataclass
class Naive:
    """Count what could serve each order, from the feed alone."""

    orders: dict[str, Own] = field(default_factory=dict)
    levels: dict[Side, dict[int, int]] = field(default_factory=dict)

    def crossing(self, own: Own) -> Counter[int]:
        return Counter({p: q for p, q in self.levels[own.side.opposite].items() if own.reaches(p)})


def uncrossed(levels: dict[Side, dict[int, int]], newest: Side) -> dict[Side, dict[int, int]]:
    """Take away what a book cannot hold: the newest side pushes the other one out of its way."""
    bids, asks = levels[Side.BUY], levels[Side.SELL]
    if newest is Side.BUY:
        best = max(bids, default=0)
        return {Side.BUY: bids, Side.SELL: {p: q for p, q in asks.items() if p > best}}
    best = min(asks, default=1_000)
    return {Side.BUY: {p: q for p, q in bids.items() if p < best}, Side.SELL: asks}


@given(st.sampled_from(list(QueueModel)), st.lists(ACTIONS, max_size=40))
def test_filled_never_exceeds_the_prints_and_the_quantity_that_crossed(
    model: QueueModel, actions: list[Diff | Print | Place | Cancel]
) -> None:
    bids, asks = {100: 10, 98: 5}, {102: 10, 104: 5}
    world = World(model, bids.items(), asks.items())
    naive = Naive(levels={Side.BUY: bids, Side.SELL: asks})

    for number, action in enumerate(actions):
        match action:
            case Diff():
                follow(world, naive, action)
            case Print():
                stamp = world.now_ns - 15 if action.late else None
                matches = world.trade(action.taker, action.price, action.quantity, venue_ns=stamp)
                assert filled(matches) <= 2 * action.quantity
                for side in Side:
                    of_side = [match for match in matches if match.side is side]
                    assert filled(of_side) <= action.quantity
                for own in naive.orders.values():
                    if own.live and own.reaches(action.price):
                        own.due += action.quantity
                settle(naive, matches, Liquidity.MAKER)
            case Place():
                arrive(world, naive, f"o{number}", action)
            case Cancel():
                live = [key for key, own in naive.orders.items() if own.live]
                if live:
                    key = live[action.which % len(live)]
                    own = naive.orders[key]
                    assert world.matcher.cancel(key) == own.quantity - own.got
                    own.live = False
        check(world, naive)


def follow(world: World, naive: Naive, action: Diff) -> None:
    after = {side: dict(levels) for side, levels in naive.levels.items()}
    for side, price, quantity in action.changes:
        after[side].pop(price, None)
        if quantity:
            after[side][price] = quantity
        after = uncrossed(after, side)
    before = naive.levels
    crossing = {key: naive.crossing(own) for key, own in naive.orders.items() if own.live}
    naive.levels = after
    gains = Counter[int]()
    for key, held in crossing.items():
        gained = naive.crossing(naive.orders[key]) - held
        naive.orders[key].due += gained.total()
        gains |= gained
    if action.snapshot:
        matches = world.snapshot(after[Side.BUY].items(), after[Side.SELL].items())
    else:
        touched = {(side, price) for side, price, _ in action.changes}
        matches = world.diff(*(changes(before[side], after[side], side, touched) for side in Side))
    # All together are served once by what came.
    assert filled(matches) <= gains.total()
    settle(naive, matches, Liquidity.MAKER)


def changes(
    before: dict[int, int], after: dict[int, int], side: Side, touched: set[tuple[Side, int]]
) -> list[Level]:
    """Give the levels that differ, and those that the feed repeats."""
    prices = sorted(before.keys() | after.keys())
    return [
        (price, after.get(price, 0))
        for price in prices
        if before.get(price) != after.get(price) or (side, price) in touched
    ]


def arrive(world: World, naive: Naive, key: str, action: Place) -> None:
    own = Own(action.side, action.price, action.quantity)
    placed = world.place(
        action.side,
        action.price,
        action.quantity,
        action.time_in_force,
        key=key,
        post_only=action.post_only,
    )
    own.due = naive.crossing(own).total()
    naive.orders[key] = own
    if action.post_only:
        assert (placed.standing is Standing.WOULD_TAKE) is (own.due > 0)
        assert placed.matches == ()
    settle(naive, placed.matches, Liquidity.TAKER)
    if action.time_in_force is TimeInForce.FOK and placed.matches:
        assert own.got == own.quantity
    own.live = placed.standing is Standing.RESTING


def settle(naive: Naive, matches: object, liquidity: Liquidity) -> None:
    assert isinstance(matches, list | tuple)
    for match in matches:
        own = naive.orders[match.key]
        assert match.quantity > 0
        assert match.liquidity is liquidity
        # A maker fills at its price, a taker there or better.
        assert own.reaches(match.price)
        assert liquidity is Liquidity.TAKER or match.price == own.price
        own.got += match.quantity
        assert match.leaves == own.quantity - own.got
        own.live = own.live and match.leaves > 0


def check(world: World, naive: Naive) -> None:
    for side in Side:
        assert dict(world.book.levels(side)) == naive.levels[side]
    for key, own in naive.orders.items():
        assert own.got <= min(own.due, own.quantity)
        ahead = world.matcher.ahead(key)
        assert not own.live or ahead is None or ahead >= 0
