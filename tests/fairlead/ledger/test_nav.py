from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import Drawdown, Nav
from tests.fairlead.ledger.factories import D

DAY = 86_400_000_000_000


def test_drawdown_is_the_deepest_fall_from_the_peak() -> None:
    fall = Drawdown()
    for figure in (100, 120, 90, 150, 135):
        fall.sample(D(figure))

    assert fall.peak == 150
    assert fall.now == D("0.1")
    assert fall.deepest == D("0.25")


def test_a_peak_that_is_not_above_zero_has_no_share() -> None:
    fall = Drawdown()
    fall.sample(D(0))
    fall.sample(D(-5))

    assert fall.deepest == 0


def test_without_transfers_a_unit_is_worth_the_equity() -> None:
    nav = Nav()
    nav.sample(0, D(1000))
    nav.sample(1, D(1100))
    nav.sample(2, D(1050))

    assert nav.now == 1050
    assert nav.peak_equity == 1100
    assert nav.day_start_equity == 1000
    assert nav.day_peak_equity == 1100


@given(st.decimals("-900", "5000", places=2))
def test_a_transfer_is_neither_a_gain_nor_a_loss(amount: Decimal) -> None:
    nav = Nav()
    nav.sample(0, D(1000))

    nav.transfer(D(1000), amount)
    nav.sample(1, D(1000) + amount)

    assert nav.now is not None
    assert nav.peak_equity is not None
    assert abs(nav.now - 1000) < D("1e-30")
    assert abs(nav.peak_equity - 1000 - amount) < D("1e-30")
    assert nav.drawdown.now < D("1e-30")


def test_an_empty_account_cannot_trade_units() -> None:
    nav = Nav()

    nav.transfer(D(0), D(100))
    nav.transfer(D(100), D(-100))
    nav.sample(0, D(100))

    assert nav.now == 100


def test_a_new_day_starts_anew_at_its_own_hour() -> None:
    nav = Nav(day_offset_ns=DAY // 4)
    nav.sample(0, D(1000))
    nav.sample(DAY // 4 - 1, D(1200))
    assert nav.day_start_equity == 1000

    nav.sample(DAY // 4, D(1100))

    assert nav.day_start_equity == 1100
    assert nav.day_peak_equity == 1100
    assert nav.peak_equity == 1200


def test_before_the_first_sample_everything_is_unavailable() -> None:
    nav = Nav()

    assert (nav.now, nav.peak_equity, nav.day_start_equity) == (None, None, None)
