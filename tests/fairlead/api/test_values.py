"""The small values of the contracts."""

from decimal import Decimal

import pytest

from fairlead.api import (
    KEEP,
    Balance,
    Decision,
    MarketRisk,
    NoMemory,
    OrderView,
    PostureLevel,
    QuotesConfig,
    Replace,
    Request,
    TransportError,
)
from fairlead.model import OrderState, Purpose, Side
from fairlead.testing import instrument, slot, view


@pytest.mark.parametrize(
    ("free", "locked", "reserved", "total", "available"),
    [("10", "5", "3", "15", "7"), ("2", "0", "3", "2", "0"), ("0", "0", "0", "0", "0")],
)
def test_what_is_available_is_free_less_reserved_and_never_below_zero(
    free: str, locked: str, reserved: str, total: str, available: str
) -> None:
    balance = Balance(Decimal(free), Decimal(locked), Decimal(reserved))

    assert (balance.total, balance.available) == (Decimal(total), Decimal(available))


def test_the_leaves_of_an_order_are_what_may_still_fill() -> None:
    order = OrderView(
        client_id="x",
        slot=slot(),
        side=Side.BUY,
        price=Decimal(1),
        quantity=Decimal(5),
        filled=Decimal(2),
        state=OrderState.PARTIALLY_FILLED,
        purpose=Purpose.QUOTE,
        decided_ns=0,
        acknowledged_ns=None,
    )

    assert order.leaves == 3


def test_postures_are_ranked_from_free_to_halted() -> None:
    assert [level.rank for level in PostureLevel] == [0, 1, 2, 3]


def test_a_decision_keeps_what_rests_unless_it_says_otherwise() -> None:
    assert Decision(NoMemory()).quotes is KEEP


def test_the_gap_is_position_minus_target() -> None:
    market = MarketRisk(
        instrument=instrument(),
        mid=None,
        mark=None,
        book_valid=False,
        valid_since_ns=None,
        book_changed_ns=None,
        position=Decimal(7),
        target=Decimal(10),
        orders=(),
    )

    assert market.gap == -3


def test_a_view_without_a_book_has_no_mid() -> None:
    assert view(without_book=True).mid is None
    assert view().mid == 100


def test_a_request_never_shows_its_secrets() -> None:
    request = Request(
        "POST", "https://venue.example/order?signature=abc", {"key": "hush"}, b"also hush"
    )

    assert repr(request) == "Request(POST https://venue.example/order)"


def test_a_transport_error_says_whether_something_left() -> None:
    error = TransportError("refused", sent=False)

    assert (str(error), error.cause, error.sent) == ("refused", "refused", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"refresh_every_ns": -1},
        {"keep_within": Decimal("-0.1")},
        {"size_within": Decimal("-0.1")},
        {"cancel_closer_than": Decimal("-0.1")},
    ],
)
def test_a_quoting_plan_below_zero_is_refused(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(ValueError, match="is below zero"):
        QuotesConfig(**wrong)  # type: ignore[arg-type]  # one of them is an int


def test_orders_give_way_one_after_the_other_by_default() -> None:
    assert QuotesConfig().replace is Replace.WAIT
