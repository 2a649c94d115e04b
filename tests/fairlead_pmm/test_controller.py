from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fairlead.api import Decision, Gate, View
from fairlead.model import InstrumentKind, OrderState, Purpose, Quote, Side
from fairlead_pmm import Delay, PmmController, PmmMemory
from tests.fairlead_pmm.factory import SECOND, Book, balance, config, instrument, order, view

BUY, SELL = Side.BUY, Side.SELL
BOOK = Book(Decimal("1.9976"), Decimal("1.9992"))  # mid 1.9984


def decide(seen: View, memory: PmmMemory | None = None, **keys: object) -> Decision[PmmMemory]:
    controller = PmmController(config(**keys))
    return controller.decide(seen, controller.initial() if memory is None else memory)


def quotes(decision: Decision[PmmMemory]) -> tuple[Quote, ...]:
    assert isinstance(decision.quotes, tuple)
    return decision.quotes


def ladder(decision: Decision[PmmMemory]) -> dict[tuple[Side, int], tuple[str, str]]:
    return {
        (quote.side, quote.level): (str(quote.price), str(quote.quantity))
        for quote in quotes(decision)
    }


def total(decision: Decision[PmmMemory], side: Side) -> Decimal:
    return sum((q.quantity for q in quotes(decision) if q.side is side), start=Decimal(0))


def chain(quote: Quote, subject: str) -> list[tuple[str, str, str]]:
    return [
        (reason.stage, f"{reason.after:f}", reason.detail)
        for reason in quote.reasons
        if reason.subject == subject
    ]


def test_quotes_both_sides_of_the_mid_level_by_level() -> None:
    decision = decide(view(book=BOOK), levels={"count": 2, "step": "4 bps"})

    assert ladder(decision) == {
        (BUY, 0): ("1.9968", "100"),  # 1.9984 × 0.9992 = 1.99680128
        (BUY, 1): ("1.9960", "100"),
        (SELL, 0): ("2.0000", "100"),  # 1.9984 × 1.0008 = 1.99999872
        (SELL, 1): ("2.0008", "100"),
    }
    assert decision.gates == ()


def test_a_quote_explains_itself() -> None:
    decision = decide(
        view(book=BOOK, base=balance("2702")),
        order_size="250 USDT",
        inventory={"price_skew": "6 bps", "size_skew": True},
    )

    # held 2702, capital 2702 + 5000/1.9984 = 5204.0016…, lean (2702 - 2602)/1040.8 = 0.0961
    bid = quotes(decision)[0]
    assert [stage for stage, *_ in chain(bid, "price")] == [
        "reference",
        "spread",
        "price skew",
        "round",
    ]
    assert chain(bid, "price")[1][2] == "8.00 bps"
    assert chain(bid, "price")[2][2] == "long, 10 % of band"
    assert [(stage, detail) for stage, _, detail in chain(bid, "quantity")] == [
        ("order size", "250 USDT"),
        ("size skew", "× 0.90: long, 10 % of band"),
        ("round", "to the lot 1"),
    ]
    assert (str(bid.price), str(bid.quantity)) == ("1.9966", "113")
    assert bid.reference == Decimal("1.9984")


def test_the_reference_may_be_the_microprice() -> None:
    book = Book(Decimal("1.9976"), Decimal("1.9992"), Decimal(3), Decimal(1))

    decision = decide(view(book=book), reference="microprice")

    assert {quote.reference for quote in quotes(decision)} == {Decimal("1.9988")}
    assert quotes(decision)[0].reasons[0].detail == "microprice"


def test_risk_may_widen_the_spread_and_its_steps() -> None:
    decision = decide(view(book=BOOK, spread_factor="1.5"), levels={"count": 2, "step": "4 bps"})

    spreads = [chain(quote, "price")[1] for quote in quotes(decision) if quote.side is BUY]
    assert [detail for _, _, detail in spreads] == [
        "12.00 bps, widened × 1.5",
        "18.00 bps, widened × 1.5",
    ]


def test_the_spread_has_a_floor() -> None:
    decision = decide(view(book=BOOK), spread="1 bps", min_spread="10 bps")

    assert chain(quotes(decision)[0], "price")[1][2] == "10.00 bps"


@pytest.mark.parametrize(
    ("held", "bid", "ask"),
    [("2502", "1.9968", "2.0000"), ("9000", "1.9956", "1.9988"), ("0", "1.9980", "2.0012")],
    ids=["at target", "all long", "all short"],
)
def test_price_skew_moves_both_quotes_against_the_inventory(held: str, bid: str, ask: str) -> None:
    decision = decide(
        view(book=BOOK, base=balance(held)),
        inventory={"price_skew": "6 bps"},
        order_size="10 USDT",
    )

    prices = {quote.side: str(quote.price) for quote in quotes(decision)}
    expected = {BUY: bid, SELL: ask} if held != "0" else {BUY: bid}
    assert {side: prices[side] for side in expected} == expected


def test_size_skew_buys_nothing_at_the_end_of_the_band() -> None:
    decision = decide(view(book=BOOK, base=balance("9000")), inventory={"size_skew": True})

    assert ladder(decision) == {(SELL, 0): ("2.0000", "200")}
    assert decision.gates == (Gate("size skew", "BUY 0: long, 100 % of band"),)


def test_the_target_is_a_share_of_the_capital_floored_to_the_lot() -> None:
    seen = view(book=BOOK, base=balance("2000", locked="500"), quote=balance("4000", locked="1000"))

    decision = decide(seen)

    assert decision.target == Decimal(2501)  # (2500 + 5000/1.9984) / 2 = 2501.0004
    assert decide(view(book=BOOK, rules=instrument(lot="0.01"))).target == Decimal("2501.00")


def test_a_level_below_the_minimum_is_merged_into_the_next_one_outward() -> None:
    rules = instrument(min_notional="300")

    decision = decide(
        view(book=BOOK, rules=rules), order_size="100 ALT", levels={"count": 4, "step": "4 bps"}
    )

    assert [key for key in ladder(decision) if key[0] is BUY] == [(BUY, 1), (BUY, 3)]
    assert {quote.quantity for quote in quotes(decision)} == {Decimal(200)}
    bids = [gate for gate in decision.gates if gate.detail.startswith("BUY")]
    assert bids == [
        Gate("minimum", "BUY 0: quantity 100 below the minimum 151; merged outward"),
        Gate("minimum", "BUY 2: quantity 100 below the minimum 151; merged outward"),
    ]
    assert chain(quotes(decision)[0], "quantity")[-1] == (
        "minimum",
        "200",
        "with 100 from nearer levels below 151",
    )


def test_a_level_exactly_at_the_minimum_is_quoted() -> None:
    decision = decide(view(book=BOOK, rules=instrument(min_quantity="100")))

    assert len(quotes(decision)) == 2


def test_budget_and_minimum_do_not_depend_on_the_skew_of_the_moment() -> None:
    skewed = {"price_skew": "60 bps"}
    rules = instrument(lot="0.001")
    money = balance("150")
    level, long = balance("75.06"), balance("150.12")

    bought = [
        total(decide(view(book=BOOK, base=held, quote=money, rules=rules), inventory=skewed), BUY)
        for held in (level, long)
    ]
    sold = [
        total(
            decide(
                view(book=BOOK, base=held, rules=instrument(min_notional="199.8")),
                inventory=skewed,
            ),
            SELL,
        )
        for held in (balance("2502"), balance("9000"))
    ]

    assert bought[0] == bought[1] > 70
    assert sold == [0, 0]  # 100 at 1.9977 would be below; at 2.0000 it would not


def test_what_is_left_at_the_outermost_level_takes_the_last_good_one_along() -> None:
    rules = instrument(min_quantity="150")

    decision = decide(view(book=BOOK, rules=rules), levels={"count": 3, "step": "4 bps"})

    bids = {key: quantity for key, (_, quantity) in ladder(decision).items() if key[0] is BUY}
    assert bids == {(BUY, 2): "300"}


def test_a_side_below_the_minimum_as_a_whole_is_dropped() -> None:
    rules = instrument(min_quantity="250")

    decision = decide(view(book=BOOK, rules=rules), levels={"count": 2, "step": "4 bps"})

    assert quotes(decision) == ()
    assert decision.gates[1] == Gate(
        "minimum",
        "BUY 1: quantity 100 below the minimum 250; so is the side's sum of 200: dropped",
    )
    assert len(decision.gates) == 4


def test_the_budget_cuts_the_levels_in_proportion() -> None:
    seen = view(book=BOOK, base=balance("151"), quote=balance("300"))

    decision = decide(seen, levels={"count": 2, "step": "4 bps"})

    assert [str(quote.quantity) for quote in quotes(decision)] == ["75", "75", "75", "76"]
    assert chain(quotes(decision)[-1], "quantity")[-1] == ("budget", "76", "ALT for 151 of 200")
    spent = sum(quote.price * quote.quantity for quote in quotes(decision) if quote.side is BUY)
    assert spent <= 300


def test_the_budget_counts_what_own_live_orders_hold() -> None:
    live = (
        order(BUY, price="2", quantity="50"),
        order(SELL, price="2", quantity="30", state=OrderState.PENDING_CANCEL),
    )
    seen = view(
        book=BOOK,
        base=balance("20", locked="30"),
        quote=balance("150", locked="0", reserved="100"),
        orders=live,
    )

    decision = decide(seen)

    sizes = {quote.side: quote.quantity for quote in quotes(decision)}
    assert sizes == {BUY: Decimal(75), SELL: Decimal(50)}  # 150 / 1.9968, 20 + 30


def test_the_maker_fee_is_part_of_the_cost() -> None:
    money = balance("199.68")

    cheap = decide(view(book=BOOK, quote=money))
    costly = decide(view(book=BOOK, quote=money, rules=instrument(maker="0.01")))

    assert quotes(cheap)[0].quantity == 100
    assert quotes(costly)[0].quantity == 99


@pytest.mark.parametrize(
    ("base", "quote", "gates"),
    [
        ("0", "5000", (Gate("no balance", "SELL 0: no ALT to use"),)),
        ("2500", "0", (Gate("no balance", "BUY 0: no USDT to use"),)),
        ("0", "0", (Gate("no balance", "neither ALT nor USDT in the account"),)),
    ],
    ids=["no base", "no quote", "nothing"],
)
def test_without_a_balance_a_side_is_off(base: str, quote: str, gates: tuple[Gate, ...]) -> None:
    decision = decide(view(book=BOOK, base=balance(base), quote=balance(quote)))

    assert decision.gates == gates
    assert len(quotes(decision)) == 2 - len(gates) if base != quote else not quotes(decision)


def test_a_budget_below_the_minimum_drops_the_side() -> None:
    seen = view(book=BOOK, base=balance("5"), rules=instrument(min_quantity="10"))

    decision = decide(seen)

    assert [quote.side for quote in quotes(decision)] == [BUY]
    assert decision.gates == (
        Gate(
            "budget", "SELL 0: quantity 5 below the minimum 10; so is the side's sum of 5: dropped"
        ),
    )


def test_the_crossing_guard_keeps_one_tick_off_the_opposite_best() -> None:
    book = Book(Decimal("1.9983"), Decimal("1.9985"))

    long = decide(
        view(book=book, base=balance("9000")), spread="1 bps", inventory={"price_skew": "9 bps"}
    )
    short = decide(
        view(book=book, base=balance("200")), spread="1 bps", inventory={"price_skew": "9 bps"}
    )

    ask = next(quote for quote in quotes(long) if quote.side is SELL)
    bid = next(quote for quote in quotes(short) if quote.side is BUY)
    assert (str(ask.price), str(bid.price)) == ("1.9984", "1.9984")
    assert chain(ask, "price")[-1] == (
        "crossing guard",
        "1.9984",
        "kept off the opposite best 1.9983",
    )


def test_a_price_below_the_grid_is_a_gate() -> None:
    book = Book(Decimal("0.0001"), Decimal("0.0002"))

    decision = decide(view(book=book), spread="50%")

    assert [quote.side for quote in quotes(decision)] == [SELL]
    assert decision.gates == (Gate("price grid", "BUY 0: no price above zero"),)


def test_without_a_book_nothing_is_quoted() -> None:
    decision = decide(view(book=None))

    assert decision.quotes == ()
    assert decision.gates == (Gate("no valid book", "pulled until the book is valid"),)
    assert decision.target is None


def test_a_filled_level_stays_empty_for_the_delay() -> None:
    keys: dict[str, Any] = {
        "filled_order_delay": "60 s",
        "levels": {"count": 2, "step": "4 bps"},
    }
    gone = (
        order(BUY, 0, state=OrderState.FILLED),
        order(SELL, 0, state=OrderState.CANCELLED),
        order(SELL, 1, state=OrderState.FILLED, purpose=Purpose.HEDGE),
    )

    first = decide(view(book=BOOK, closed=gone, now_ns=SECOND), **keys)
    during = decide(view(book=BOOK, now_ns=60 * SECOND), first.memory, **keys)
    after = decide(view(book=BOOK, now_ns=61 * SECOND), during.memory, **keys)

    assert first.memory == PmmMemory((Delay(BUY, 0, 61 * SECOND),))
    assert first.gates == (Gate("filled-order delay", "BUY 0 filled; empty for 60 s"),)
    for decision in (first, during):
        assert list(ladder(decision)) == [(BUY, 1), (SELL, 0), (SELL, 1)]
    assert len(quotes(after)) == 4
    assert after.memory == PmmMemory()


def test_a_side_may_be_empty_whole() -> None:
    gone = (order(BUY, 0, state=OrderState.FILLED),)

    decision = decide(view(book=BOOK, closed=gone), filled_order_delay="60 s")

    assert list(ladder(decision)) == [(SELL, 0)]


def test_without_a_delay_a_fill_is_forgotten() -> None:
    decision = decide(view(book=BOOK, closed=(order(BUY, 0, state=OrderState.FILLED),)))

    assert decision.memory == PmmMemory()


def test_a_delay_is_remembered_while_the_book_is_away() -> None:
    gone = (order(BUY, 0, state=OrderState.FILLED),)

    decision = decide(view(book=None, closed=gone), filled_order_delay="60 s")

    assert decision.memory == PmmMemory((Delay(BUY, 0, 60 * SECOND),))


def test_the_memory_survives_being_written_down() -> None:
    memory = PmmMemory((Delay(BUY, 0, 61 * SECOND),))

    assert msgspec.json.decode(msgspec.json.encode(memory), type=PmmMemory) == memory


def test_a_contract_steers_to_zero_and_trades_on_margin() -> None:
    rules = instrument(kind=InstrumentKind.PERPETUAL, multiplier="10", min_quantity="1")
    seen = view(
        book=BOOK,
        base=balance("0"),
        quote=balance("100", locked="20"),
        rules=rules,
        position=Decimal(-3),
        orders=(order(SELL, price="2", quantity="1"),),
    )

    decision = decide(seen, order_size="1000 ALT", inventory={"price_skew": "6 bps"})

    sizes = {quote.side: quote.quantity for quote in quotes(decision)}
    assert decision.target == 0
    # 120 USDT carry 6 contracts of 10 ALT at ~2; buying back 3 needs none.
    assert sizes == {BUY: Decimal(9), SELL: Decimal(6)}
    assert chain(quotes(decision)[0], "price")[2][2] == "short, 100 % of band"
