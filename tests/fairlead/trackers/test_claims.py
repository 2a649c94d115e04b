"""A sum that is kept up is the sum that adding up gives."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import MarketId, OrderIntent, Side
from fairlead.testing import instrument, intent
from fairlead.trackers import Claims, needs

TRADED = (
    instrument(),
    instrument(MarketId("main", "BTC/USDT"), multiplier=Decimal("0.1")),
    instrument(MarketId("hedge", "ALT/USDT")),
)
KEYS = [(venue, asset) for venue in ("main", "hedge") for asset in ("ALT", "BTC", "USDT")]

STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),  # whose
        st.integers(0, 2),  # where
        st.sampled_from([*Side, None]),  # None: dropped
        st.decimals(0, 10**6, places=8),
        st.decimals("0.00000001", 10**6, places=8),
    ),
    max_size=40,
)


@given(STEPS)
def test_what_is_taken_is_what_adding_up_gives(
    steps: list[tuple[int, int, Side | None, Decimal, Decimal]],
) -> None:
    claims = Claims[int]()
    naive: dict[int, tuple[OrderIntent, Decimal]] = {}

    for name, where, side, quantity, price in steps:
        if side is None:
            claims.drop(name)
            naive.pop(name, None)
        else:
            made = intent(1, side, price=price, quantity=1, traded=TRADED[where])
            claims.put(name, made, quantity)
            naive[name] = made, quantity

        for venue, asset in KEYS:
            each = {
                one: needs(order, amount, asset)
                for one, (order, amount) in naive.items()
                if order.slot.market.venue == venue
            }
            assert claims.of(venue, asset) == sum(each.values())
            without = sum(need for one, need in each.items() if one != name)
            assert claims.of(venue, asset, besides=name) == without


def test_an_asset_that_nobody_takes_leaves_nothing_behind() -> None:
    claims = Claims[str]()
    claims.put("one", intent(price="1.00000001"), Decimal("3.0000"))

    claims.drop("one")
    claims.drop("one")

    assert str(claims.of("main", "USDT")) == "0"
