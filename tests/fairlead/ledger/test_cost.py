from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import CostBook
from fairlead.model import Side
from tests.fairlead.ledger.factories import D

sides = st.sampled_from(Side)
sizes = st.decimals("0.1", "99", places=1)
prices = st.decimals("0.5", "50", places=1)


def test_a_closing_trade_realises_against_the_average_cost() -> None:
    cost = CostBook()
    cost.on_fill(Side.BUY, D(10), D(2))
    cost.on_fill(Side.BUY, D(10), D(4))

    result = cost.on_fill(Side.SELL, D(5), D(5))

    assert cost.average == 3
    assert result == 10
    assert cost.realised == 10
    assert cost.unrealised(D(2)) == -15


def test_a_flip_closes_first_and_opens_the_rest() -> None:
    cost = CostBook(multiplier=D("0.1"))
    cost.on_fill(Side.SELL, D(10), D(5))

    result = cost.on_fill(Side.BUY, D(15), D(3))

    assert result == 2
    assert cost.quantity == 5
    assert cost.average == 3


def test_a_flat_position_has_no_cost() -> None:
    cost = CostBook()
    cost.on_fill(Side.BUY, D(1), D(2))

    cost.on_fill(Side.SELL, D(1), D(2))

    assert cost.average == 0
    assert cost.unrealised(D(7)) == 0


def test_what_comes_in_costs_its_mark_and_what_leaves_takes_the_average_with_it() -> None:
    cost = CostBook()
    cost.move(D(10), D(2))
    cost.move(D(10), D(4))
    cost.move(D(-5), D(9))

    assert cost.average == 3
    assert cost.quantity == 15
    assert cost.realised == 0


def test_moving_everything_out_leaves_no_cost_and_moving_more_costs_the_mark() -> None:
    cost = CostBook()
    cost.move(D(10), D(2))
    cost.move(D(-10), D(3))
    assert cost.average == 0

    cost.move(D(4), D(2))
    cost.move(D(-6), D(5))

    assert (cost.quantity, cost.average) == (D(-2), D(5))


@given(st.lists(st.tuples(sides, sizes, prices), max_size=20), prices)
def test_realised_and_unrealised_are_together_what_trading_earned(
    trades: list[tuple[Side, Decimal, Decimal]],
    mark: Decimal,
) -> None:
    cost, cash, held = CostBook(), D(0), D(0)

    for side, size, price in trades:
        cost.on_fill(side, size, price)
        cash -= side.sign * size * price
        held += side.sign * size

    together = cost.realised + cost.unrealised(mark)
    assert abs(together - (cash + held * mark)) < D("1e-25")
