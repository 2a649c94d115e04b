"""Closing what is open: never more than that, never beyond a bound, and nothing for appearance."""

from decimal import Decimal

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from fairlead.api import Denied, Place, Refused
from fairlead.api.plans import AtomicLeg, AtomicPlan
from fairlead.execution import (
    AtomicExecutor,
    Spent,
    Way,
    closing_orders,
    eased_cushion,
    excess_by_market,
    hear_refusal,
    net_base,
    reachable,
    worst_price,
)
from fairlead.model import ONE, ZERO, MarketId, Purpose, Side
from fairlead.testing import fill, instrument, slot
from tests.fairlead.execution.plan_kit import Kit

MARKETS = [MarketId(name, "ALT/USDT") for name in ("one", "two", "three")]
OWNER = ("alt", "x1")
MONEY = st.decimals("95", "105", places=2)


def kit(sizes: list[int], minimum: int = 0) -> Kit:
    legs = (
        AtomicLeg(market=MARKETS[0], side=Side.BUY, quantity=Decimal(5)),
        AtomicLeg(market=MARKETS[1], side=Side.SELL, quantity=Decimal(5)),
    )
    instruments = [
        instrument(market, lot=1, multiplier=Decimal(size), min_quantity=minimum)
        for market, size in zip(MARKETS, sizes, strict=True)
    ]
    return Kit(AtomicExecutor, AtomicPlan(legs=legs), instruments)


def way(market: MarketId, side: Side, most: int = 10, bound: str | None = "99") -> Way:
    price = None if bound is None else Decimal(bound)
    return Way(market, side, 1, Purpose.HEDGE, Decimal(most), price, "a test")


@given(
    net=st.integers(-40, 40).map(Decimal),
    sizes=st.lists(st.sampled_from([1, 2, 5]), min_size=3, max_size=3),
    minimum=st.integers(0, 6),
    cushion=st.decimals("0", "0.2", places=3),
    offers=st.lists(
        st.tuples(st.integers(0, 30), st.none() | MONEY, st.none() | MONEY, st.sampled_from(Side)),
        min_size=3,
        max_size=3,
    ),
)
def test_it_closes_at_most_what_is_open_and_never_beyond_a_bound(
    net: Decimal,
    sizes: list[int],
    minimum: int,
    cushion: Decimal,
    offers: list[tuple[int, Decimal | None, Decimal | None, Side]],
) -> None:
    assume(net)
    made = kit(sizes, minimum)
    ways = []
    for market, (most, bound, mid, side) in zip(MARKETS, offers, strict=True):
        if mid is not None:
            made.quote(market, mid - Decimal("0.05"), mid + Decimal("0.05"))
        ways.append(way(market, side, most, None if bound is None else str(bound)))

    closing = closing_orders(net, ways, made.view, OWNER, cushion=cushion)

    closed = ZERO
    by_market = {one.market: one for one in ways}
    for place in closing.places:
        one = by_market[place.slot.market]
        size = made.instruments[one.market].multiplier
        assert one.bound is not None
        assert place.side.sign * net < 0
        assert place.side.sign * place.price <= place.side.sign * one.bound
        assert place.quantity * size <= one.most
        assert reachable(made.view.market(one.market), place.side, place.price)
        closed += place.quantity * size
    assert closed <= abs(net)
    assert closing.possible or not closing.places


def test_an_order_goes_as_deep_as_its_size_needs_and_the_cushion_beyond() -> None:
    made = kit([1, 1, 1])
    made.book(MARKETS[0], [("100", 5), ("99.8", 5), ("99", 50)], [("100.1", 5)])

    def price(quantity: int, cushion: str) -> Decimal:
        ways = [way(MARKETS[0], Side.SELL, bound="99")]
        net, share = Decimal(quantity), Decimal(cushion)
        (place,) = closing_orders(net, ways, made.view, OWNER, cushion=share).places
        assert place.quantity == quantity
        return place.price

    assert price(5, "0") == 100
    assert price(6, "0") == Decimal("99.8")
    assert price(6, "0.001") == Decimal("99.71")
    assert price(6, "0.01") == 99
    assert price(10, "0") == Decimal("99.8")


def test_what_is_deeper_than_the_known_depth_takes_that_and_no_more() -> None:
    made = kit([1, 1, 1])
    made.book(MARKETS[0], [("100", 3), ("99.8", 3)], [("100.1", 5)])

    ways = [way(MARKETS[0], Side.SELL, bound="90")]
    (place,) = closing_orders(Decimal(9), ways, made.view, OWNER, cushion=ZERO).places

    assert place.price == Decimal("99.8")


def test_what_is_worth_an_order_only_at_the_bound_is_priced_there() -> None:
    instruments = [instrument(market, lot=1, min_notional=Decimal("500.1")) for market in MARKETS]
    made = kit([1, 1, 1])
    made = Kit(AtomicExecutor, made.plan, instruments)
    made.quote(MARKETS[0], "99.9", "100")

    ways = [way(MARKETS[0], Side.BUY, bound="101")]
    (place,) = closing_orders(Decimal(-5), ways, made.view, OWNER, cushion=ZERO).places

    assert place.price == 101


def test_what_risk_refused_is_asked_for_smaller_and_without_the_cushion() -> None:
    made = kit([1, 1, 1])
    made.quote(MARKETS[0], "100", "100.1", 50)
    one = slot(Side.SELL, market=MARKETS[0])
    refused = Refused(
        Place(one, Side.SELL, Decimal("99.9"), Decimal(8), 0, Purpose.HEDGE),
        "risk",
        Denied("price_band", Decimal(60), Decimal(50)),
    )

    easings = hear_refusal((), refused, made.view)
    closing = closing_orders(
        Decimal(8),
        [way(MARKETS[0], Side.SELL)],
        made.view,
        OWNER,
        cushion=Decimal("0.001"),
        easings=easings,
    )

    (place,) = closing.places
    assert (place.quantity, place.price) == (Decimal(4), Decimal(100))
    # What was refused elsewhere, or the other way round, changes nothing here.
    assert eased_cushion(easings, MARKETS[0], Side.BUY, ONE) == 1
    assert eased_cushion(easings, MARKETS[1], Side.SELL, ONE) == 1
    for stage, purpose in (("queue", Purpose.HEDGE), ("risk", Purpose.ENTRY)):
        place = msgspec.structs.replace(refused.place, purpose=purpose)
        assert hear_refusal((), Refused(place, stage, refused.denied), made.view) == ()


def test_a_way_without_a_price_may_still_be_one_later() -> None:
    made = kit([1, 1, 1], minimum=3)

    assert closing_orders(
        Decimal(3), [way(MARKETS[0], Side.SELL, bound=None)], made.view, OWNER, cushion=ZERO
    ).possible
    assert not closing_orders(
        Decimal(2), [way(MARKETS[0], Side.SELL, bound=None)], made.view, OWNER, cushion=ZERO
    ).possible


def test_without_a_book_nothing_is_within_reach_and_no_bound_can_be_said() -> None:
    look = kit([1, 1, 1]).view.market(MARKETS[0])

    assert not reachable(look, Side.BUY, Decimal(1_000_000))
    assert worst_price(look, Side.BUY, reach=ZERO, reference=Decimal(1), room=ZERO) is None


def test_the_tighter_of_both_bounds_holds() -> None:
    made = kit([1, 1, 1])
    made.quote(MARKETS[0], "99", "101")
    look = made.view.market(MARKETS[0])
    reach, room, reference = Decimal("0.01"), Decimal("0.02"), Decimal(100)

    for side, near, far in ((Side.BUY, 101, 100), (Side.SELL, 99, 100)):
        assert worst_price(look, side, reach=reach, reference=reference, room=room) == near
        assert worst_price(look, side, reach=room, reference=reference, room=ZERO) == far


@given(
    held=st.lists(st.integers(-20, 20), min_size=3, max_size=3),
    sizes=st.lists(st.sampled_from([1, 2, 5]), min_size=3, max_size=3),
)
def test_the_places_of_an_exposure_add_up_to_it(held: list[int], sizes: list[int]) -> None:
    made = kit(sizes)
    for market, quantity in zip(MARKETS, held, strict=True):
        if quantity:
            side = Side.BUY if quantity > 0 else Side.SELL
            traded = fill(side=side, market=market, quantity=abs(quantity))
            made.fills.append((traded, slot(side, market=market)))
    net = net_base(made.view, MARKETS)

    parts = excess_by_market(made.view, MARKETS, net)

    total = sum((part * made.instruments[market].multiplier for market, part in parts), start=ZERO)
    assert total == net
    assert all(abs(part) <= abs(made.view.exposure(market)) for market, part in parts)


def test_a_loss_is_what_is_worse_than_the_reference() -> None:
    sold = Spent(MARKETS[0], Side.SELL, Decimal(4), Decimal(99), Decimal(100))
    bought = Spent(MARKETS[0], Side.BUY, Decimal(4), Decimal(99), Decimal(100))

    assert (sold.loss, bought.loss) == (Decimal(4), Decimal(-4))
    assert (sold.share, bought.share) == (Decimal("0.04"), Decimal("-0.04"))
