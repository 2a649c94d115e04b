from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Denied
from fairlead.model import OrderIntent, Purpose, Side, TimeInForce
from fairlead.pipeline import normalize
from fairlead.testing import instrument
from tests.fairlead.pipeline.pipeline_world import place

TRADED = instrument(tick="0.05", lot="0.1", min_quantity="0.5", min_notional=10)


@given(
    st.decimals(min_value=-1, max_value=1000, places=4),
    st.decimals(min_value=-1, max_value=100, places=4),
    st.sampled_from(Side),
)
def test_what_comes_out_can_stand_at_the_venue_and_is_never_bolder(
    price: Decimal, quantity: Decimal, side: Side
) -> None:
    result = normalize(place(side, price=str(price), quantity=str(quantity)), TRADED)

    if isinstance(result, Denied):
        return
    assert TRADED.on_grid(result.price)
    assert TRADED.below_minimum(result.price, result.quantity) is None
    assert side.sign * (price - result.price) >= 0
    assert 0 < result.quantity <= quantity


def test_everything_else_is_taken_over() -> None:
    wish = place(Side.SELL, 2, at_ns=7, purpose=Purpose.EXIT)

    intent = normalize(wish, TRADED)

    assert isinstance(intent, OrderIntent)
    assert (intent.client_id, intent.slot, intent.decided_ns) == ("", wish.slot, 7)
    assert (intent.purpose, intent.post_only) == (Purpose.EXIT, True)
    assert intent.time_in_force is TimeInForce.GTC


@pytest.mark.parametrize(
    ("price", "quantity", "rule", "observed", "limit"),
    [
        ("0.04", "100", "price_grid", "0.04", "0.05"),
        ("-1", "100", "price_grid", "-1", "0.05"),
        ("100", "0.49", "minimum_quantity", "0.4", "0.5"),
        ("100", "0.05", "minimum_quantity", "0.0", "0.5"),
        ("10", "0.99", "minimum_notional", "9.000", "10"),
    ],
)
def test_what_is_too_small_is_denied_with_both_figures(
    price: str, quantity: str, rule: str, observed: str, limit: str
) -> None:
    result = normalize(place(Side.BUY, price=price, quantity=quantity), TRADED)

    assert isinstance(result, Denied)
    assert result.rule == rule
    assert (result.observed, result.limit) == (Decimal(observed), Decimal(limit))
