import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import (
    PRECISION,
    ZERO,
    ceil_to,
    clamp,
    decimal_from,
    floor_to,
    is_multiple,
    power_of_ten,
    scaled,
    statistic,
    trimmed,
    unscaled,
)

STEPS = st.sampled_from(
    [Decimal(text) for text in ("0.00000001", "0.0001", "0.01", "0.05", "0.25", "1", "5", "100")]
)
VALUES = st.decimals(
    min_value=Decimal("0.00000001"), max_value=Decimal(10) ** 9, places=8, allow_nan=False
)


@given(VALUES, STEPS)
def test_rounding_brackets_the_value_with_neighbouring_multiples(
    value: Decimal, step: Decimal
) -> None:
    low, high = floor_to(value, step), ceil_to(value, step)

    assert low <= value <= high
    assert high - low in (0, step)
    assert is_multiple(low, step)
    assert is_multiple(high, step)


@given(VALUES, STEPS)
def test_rounding_twice_is_rounding_once(value: Decimal, step: Decimal) -> None:
    low, high = floor_to(value, step), ceil_to(value, step)

    assert floor_to(low, step) == low == ceil_to(low, step)
    assert floor_to(high, step) == high == ceil_to(high, step)


@given(st.integers(-(10**18), 10**18), st.integers(0, 12))
def test_scaling_there_and_back_changes_nothing(units: int, decimals: int) -> None:
    number = unscaled(units, decimals)

    assert scaled(format(number, "f"), decimals) == units


@given(st.text(max_size=12) | st.floats().map(str) | st.decimals().map(str))
def test_whatever_comes_from_outside_is_a_sane_number_or_refused(text: str) -> None:
    try:
        number = decimal_from(text)
    except ValueError:
        return

    assert number.is_finite()
    assert number == 0 or Decimal("1e-24") <= abs(number) < Decimal("1e25")
    assert len(number.as_tuple().digits) <= PRECISION


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "inf", "-Infinity", "1e400", "1e-400", "", "1,5", "1 USDT", "0x10"]
)
def test_what_is_no_finite_number_of_a_sane_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|range"):
        decimal_from(text)


@pytest.mark.parametrize("text", ["1_000", " 1", "1 ", "\u0661", "1\n"])
def test_what_only_python_takes_for_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        decimal_from(text)


def test_a_decimal_from_elsewhere_must_be_finite_and_short_too() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        decimal_from(Decimal("NaN"))
    with pytest.raises(ValueError, match="more than 40 digits"):
        decimal_from("1." + "1" * 40)


@pytest.mark.parametrize("value", [1.5, None, b"1"])
def test_a_float_is_no_money(value: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        decimal_from(value)  # type: ignore[arg-type]  # what outside data may still hold


def test_digits_finer_than_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="finer than 2 decimals"):
        scaled("1.005", 2)


def test_floats_do_not_mix_with_money() -> None:
    price = Decimal("1.1")

    with pytest.raises(TypeError):
        price + 1.5  # type: ignore[operator]  # that it fails is the test
    with pytest.raises(decimal.FloatOperation):
        assert price > 1.5
    with pytest.raises(decimal.FloatOperation):
        Decimal(statistic(price))


def test_the_context_holds_forty_digits_and_hides_no_mistake() -> None:
    assert decimal.getcontext().prec == PRECISION
    with pytest.raises(decimal.DivisionByZero):
        Decimal(1) / ZERO
    with pytest.raises(decimal.InvalidOperation):
        ZERO / ZERO


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0.000", "0"),
        ("-0.0", "0"),
        ("0.10", "0.1"),
    ],
)
def test_a_decimal_is_shown_plainly(value: str, text: str) -> None:
    assert trimmed(Decimal(value)) == text


@given(VALUES)
def test_what_is_shown_is_what_is_meant(value: Decimal) -> None:
    assert Decimal(trimmed(value)) == value


@pytest.mark.parametrize("exponent", [-12, -1, 0, 3])
def test_a_power_of_ten_is_exact(exponent: int) -> None:
    assert power_of_ten(exponent) * power_of_ten(-exponent) == 1


@pytest.mark.parametrize(("value", "held"), [("-2", "-1"), ("0.5", "0.5"), ("7", "1")])
def test_clamping_holds_a_value_within_its_bounds(value: str, held: str) -> None:
    assert clamp(Decimal(value), Decimal(-1), Decimal(1)) == Decimal(held)


def test_statistics_leave_money_at_one_place() -> None:
    assert statistic(Decimal("0.25")) == 0.25
