"""One suite for every ladder: what joins `LADDERS` must be what a dictionary would be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.book import Ladder, LadderMaker, SortedLadder
from fairlead.model import Level, Side

LADDERS: tuple[LadderMaker, ...] = (SortedLadder,)

# Few prices, so that changes, deletes and repeats are as frequent as inserts.
LEVELS = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 3)), max_size=12)

every_ladder = pytest.mark.parametrize("make", LADDERS)
each_side = pytest.mark.parametrize("side", list(Side))


def ordered(held: dict[int, int], side: Side) -> list[Level]:
    return sorted(held.items(), reverse=side is Side.BUY)


def assert_same(ladder: Ladder, held: dict[int, int], side: Side) -> None:
    expected = ordered(held, side)
    assert list(ladder.outwards()) == expected
    assert list(ladder.outwards(3)) == expected[:3]
    assert ladder.best() == (expected[0] if expected else None)
    assert len(ladder) == len(expected)


@every_ladder
@each_side
@given(batches=st.lists(st.tuples(st.booleans(), LEVELS), max_size=8))
def test_a_ladder_is_a_dictionary_in_order(
    make: LadderMaker, side: Side, batches: list[tuple[bool, list[Level]]]
) -> None:
    ladder, held = make(side), dict[int, int]()

    for replaces, levels in batches:
        before = dict(held)
        changed = ladder.replace(levels) if replaces else ladder.apply(levels)
        if replaces:
            held.clear()
        for price, quantity in levels:
            held[price] = quantity
        held = {price: quantity for price, quantity in held.items() if quantity}

        assert_same(ladder, held, side)
        # A change and its reversal within one message may count as a change.
        assert changed or held == before


@every_ladder
@each_side
@given(levels=LEVELS, price=st.integers(0, 13))
def test_a_ladder_adds_up_what_is_at_and_inside_a_price(
    make: LadderMaker, side: Side, levels: list[Level], price: int
) -> None:
    ladder, held = make(side), {at: quantity for at, quantity in levels if quantity}
    ladder.apply(held.items())

    inside = [q for at, q in held.items() if (at >= price if side is Side.BUY else at <= price)]

    assert ladder.quantity_at(price) == held.get(price, 0)
    assert ladder.volume_through(price) == sum(inside)


@every_ladder
@each_side
def test_a_ladder_tells_whether_anything_changed(make: LadderMaker, side: Side) -> None:
    ladder = make(side)

    assert ladder.apply([(5, 2)])
    assert not ladder.apply([(5, 2), (7, 0)]), "the same quantity, and a level never seen"
    assert ladder.apply([(5, 3)])
    assert ladder.apply([(5, 0)])
    assert not ladder.apply(())
    assert ladder.replace([(5, 1)])
    assert not ladder.replace([(5, 1), (6, 0)])
    assert ladder.replace(())
