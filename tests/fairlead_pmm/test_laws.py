"""What must hold for every market, configuration and inventory."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.api import Decision, View
from fairlead.model import ONE, ZERO, Instrument, Quote, Side
from fairlead_pmm import Delay, PmmConfig, PmmController, PmmMemory
from tests.fairlead_pmm.factory import Book, balance, config, instrument, view

BPS = st.integers(0, 60).map(lambda bps: f"{bps} bps")
RULES = st.builds(
    instrument,
    tick=st.sampled_from(["0.0001", "0.01", "0.05"]),
    lot=st.sampled_from(["1", "0.1", "7", "0.001"]),
    min_quantity=st.sampled_from(["0", "5", "33"]),
    min_notional=st.sampled_from(["0", "10", "125.5"]),
    maker=st.sampled_from(["0", "0.001", "-0.0002"]),
)
MID = st.integers(50, 5_000)
GAP = st.integers(1, 40)
HELD = st.decimals(0, 10_000, places=3)
MONEY = st.decimals(0, 20_000, places=2)
MEMORY = st.builds(
    PmmMemory,
    st.lists(
        st.builds(Delay, st.sampled_from(Side), st.integers(0, 5), st.just(1)), max_size=3
    ).map(tuple),
)
CONFIG: st.SearchStrategy[PmmConfig] = st.builds(
    config,
    spread=st.integers(1, 60).map(lambda bps: f"{bps} bps"),
    min_spread=BPS,
    levels=st.fixed_dictionaries({"count": st.integers(1, 6), "step": BPS}),
    order_size=st.one_of(
        st.integers(1, 500).map(lambda size: f"{size} ALT"),
        st.integers(1, 500).map(lambda size: f"{size} USDT"),
    ),
    reference=st.sampled_from(["mid", "microprice"]),
    filled_order_delay=st.just("1 s"),
    inventory=st.fixed_dictionaries(
        {
            "target": st.integers(0, 100).map(lambda share: f"{share}%"),
            "band": st.integers(1, 60).map(lambda share: f"{share}%"),
            "price_skew": BPS,
            "size_skew": st.booleans(),
        }
    ),
)


@st.composite
def markets(draw: st.DrawFn) -> tuple[Instrument, Book]:
    rules = draw(RULES)
    tick = rules.grid.step_at(ONE)
    bid = draw(MID) * tick
    quantities = draw(st.tuples(st.integers(1, 99), st.integers(1, 99)))
    return rules, Book(bid, bid + draw(GAP) * tick, *map(Decimal, quantities))


def see(market: tuple[Instrument, Book], held: Decimal, money: Decimal, factor: str = "1") -> View:
    rules, book = market
    return view(
        book=book,
        rules=rules,
        base=balance(held),
        quote=balance(money),
        spread_factor=factor,
    )


def decide(
    keys: PmmConfig, seen: View, memory: PmmMemory | None = None
) -> tuple[Decision[PmmMemory], tuple[Quote, ...]]:
    controller = PmmController(keys)
    decision = controller.decide(seen, memory or controller.initial())
    assert isinstance(decision.quotes, tuple)
    return decision, decision.quotes


def total(quotes: tuple[Quote, ...], side: Side) -> Decimal:
    return sum((quote.quantity for quote in quotes if quote.side is side), start=ZERO)


@pytest.mark.unmeasured
@settings(max_examples=300)
@given(CONFIG, markets(), HELD, HELD, MONEY, MEMORY)
def test_holding_more_never_buys_more_nor_sells_less(
    keys: PmmConfig,
    market: tuple[Instrument, Book],
    one: Decimal,
    other: Decimal,
    money: Decimal,
    memory: PmmMemory,
) -> None:
    less, more = sorted((one, other))

    _, short = decide(keys, see(market, less, money), memory)
    _, long = decide(keys, see(market, more, money), memory)

    assert total(long, Side.BUY) <= total(short, Side.BUY)
    assert total(long, Side.SELL) >= total(short, Side.SELL)
    prices = {(quote.side, quote.level): quote.price for quote in short}
    for quote in long:
        assert quote.price <= prices.get((quote.side, quote.level), quote.price)


@given(CONFIG, markets(), HELD, MONEY, MEMORY, st.sampled_from(["1", "1.5", "3"]))
def test_every_quote_may_be_sent_as_it_is(
    keys: PmmConfig,
    market: tuple[Instrument, Book],
    held: Decimal,
    money: Decimal,
    memory: PmmMemory,
    factor: str,
) -> None:
    rules, book = market

    _, quotes = decide(keys, see(market, held, money, factor), memory)

    for quote in quotes:
        assert rules.on_grid(quote.price)
        assert rules.round_quantity(quote.quantity) == quote.quantity > 0
        assert rules.below_minimum(quote.price, quote.quantity) is None
        if quote.side is Side.BUY:
            assert quote.price < book.ask
        else:
            assert quote.price > book.bid
    bids = [quote.price for quote in quotes if quote.side is Side.BUY]
    asks = [quote.price for quote in quotes if quote.side is Side.SELL]
    assert not bids or not asks or max(bids) < min(asks)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)


@given(CONFIG, markets(), HELD, MONEY)
def test_the_whole_ladder_is_within_the_balances(
    keys: PmmConfig, market: tuple[Instrument, Book], held: Decimal, money: Decimal
) -> None:
    rules, _ = market

    _, quotes = decide(keys, see(market, held, money))

    cost = sum(
        (rules.notional(quote.price, quote.quantity) for quote in quotes if quote.side is Side.BUY),
        start=ZERO,
    )
    assert cost * (1 + max(rules.fees.maker, ZERO)) <= money
    assert total(quotes, Side.SELL) <= held


@given(CONFIG, markets(), HELD, MONEY, MEMORY)
def test_every_level_has_an_unbroken_chain_of_reasons_or_a_gate(
    keys: PmmConfig,
    market: tuple[Instrument, Book],
    held: Decimal,
    money: Decimal,
    memory: PmmMemory,
) -> None:
    decision, quotes = decide(keys, see(market, held, money), memory)

    for quote in quotes:
        for subject, last in (("price", quote.price), ("quantity", quote.quantity)):
            parts = [reason for reason in quote.reasons if reason.subject == subject]
            assert parts[0].before is None
            assert parts[-1].after == last
            assert [part.before for part in parts[1:]] == [part.after for part in parts[:-1]]
        assert quote.reasons[0].after == quote.reference
    named = {" ".join(gate.detail.replace(":", "").split()[:2]) for gate in decision.gates}
    quoted = {f"{quote.side} {quote.level}" for quote in quotes}
    levels = {f"{side} {level}" for side in Side for level in range(keys.levels.count)}
    if decision.target is None:
        assert decision.gates
    else:
        assert levels <= named | quoted
        assert not named & quoted


@given(CONFIG, markets(), HELD, MONEY, MEMORY)
def test_the_same_view_gives_the_same_decision(
    keys: PmmConfig,
    market: tuple[Instrument, Book],
    held: Decimal,
    money: Decimal,
    memory: PmmMemory,
) -> None:
    assert decide(keys, see(market, held, money), memory) == decide(
        keys, see(market, held, money), memory
    )


@given(CONFIG, markets(), HELD, MONEY, st.integers(-3, 4))
def test_another_unit_of_money_changes_nothing_but_the_prices(
    keys: PmmConfig, market: tuple[Instrument, Book], held: Decimal, money: Decimal, shift: int
) -> None:
    rules, book = market
    scaled = instrument(
        tick=str(rules.grid.step_at(ONE).scaleb(shift)),
        lot=str(rules.lot),
        min_quantity=str(rules.min_quantity),
        min_notional=str(rules.min_notional.scaleb(shift)),
        maker=str(rules.fees.maker),
    )
    moved = Book(
        book.bid.scaleb(shift), book.ask.scaleb(shift), book.bid_quantity, book.ask_quantity
    )
    size = keys.order_size
    if size.asset == "USDT":
        wider = type(size)(size.value.scaleb(shift), "USDT")
        other = keys.model_copy(update={"order_size": wider})
    else:
        other = keys

    one, quotes = decide(keys, see((rules, book), held, money))
    two, shifted = decide(other, see((scaled, moved), held, money.scaleb(shift)))

    assert one.target == two.target
    assert [(quote.level, quote.price.scaleb(shift), quote.quantity) for quote in quotes] == [
        (quote.level, quote.price, quote.quantity) for quote in shifted
    ]
