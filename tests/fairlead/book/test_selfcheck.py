from hypothesis import given
from hypothesis import strategies as st

from fairlead.book import SelfCheck, Top
from fairlead.model import BestQuote, MarketId

MARKET = MarketId("main", "BTC/USDT")


def quote(update_id: int, bid: int = 10) -> BestQuote:
    return BestQuote(MARKET, 0, 0, update_id, bid, 1, 20, 2)


def top(bid: int = 10) -> Top:
    return Top(bid, 1, 20, 2)


def test_a_quote_may_come_before_its_diff() -> None:
    check = SelfCheck()

    assert check.on_quote(quote(7)) is None
    assert check.on_top(7, top()) is True
    assert (check.compared, check.wrong) == (1, 0)


def test_a_quote_may_come_after_its_diff() -> None:
    check = SelfCheck()

    assert check.on_top(7, top()) is None
    assert check.on_quote(quote(7)) is True
    assert (check.compared, check.wrong) == (1, 0)


def test_a_quantity_alone_makes_a_pair_wrong() -> None:
    check = SelfCheck()
    check.on_top(7, Top(10, 1, 20, 3))

    assert check.on_quote(quote(7)) is False
    assert (check.compared, check.wrong) == (1, 1)
    assert check.first_wrong[0].said == top()
    assert check.first_wrong[0].held == Top(10, 1, 20, 3)
    assert check.first_wrong[0].update_id == 7


def test_only_the_first_wrong_pairs_are_kept() -> None:
    check = SelfCheck()

    for update_id in range(100):
        check.on_top(update_id, top(bid=11))
        check.on_quote(quote(update_id))

    assert check.wrong == 100
    assert [pair.update_id for pair in check.first_wrong] == [0, 1, 2, 3, 4]


@given(data=st.data())
def test_each_pair_is_compared_once_in_any_interleaving(data: st.DataObject) -> None:
    quotes = data.draw(st.dictionaries(st.integers(0, 30), st.integers(1, 2)))
    tops = data.draw(st.dictionaries(st.integers(0, 30), st.integers(1, 2)))
    repeated = data.draw(st.lists(st.sampled_from(sorted(quotes)))) if quotes else []
    halves = [*(("quote", i) for i in [*quotes, *repeated]), *(("top", i) for i in tops)]
    arrivals = data.draw(st.permutations(halves))
    check = SelfCheck()

    answers = [
        check.on_quote(quote(i, quotes[i])) if half == "quote" else check.on_top(i, top(tops[i]))
        for half, i in arrivals
    ]

    pairs = [i for i in quotes if i in tops]
    assert check.compared == len(pairs) == len([a for a in answers if a is not None])
    assert check.wrong == sum(quotes[i] != tops[i] for i in pairs) == answers.count(False)


def test_what_waits_for_its_other_half_is_bounded() -> None:
    check = SelfCheck(recent=10)

    for update_id in range(1_000):
        check.on_quote(quote(update_id))
    answers = [check.on_top(update_id, top()) for update_id in range(1_000)]

    assert 10 <= check.compared <= 20
    assert answers[-10:] == [True] * 10
