from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import AccountLedger, PnlParts
from fairlead.model import MarketId, Side
from tests.fairlead.ledger.factories import ALT, D, account, fill, terms

BTC = MarketId("main", "BTC/USDT")
ALT_BTC = MarketId("main", "ALT/BTC")
BNB = MarketId("main", "BNB/USDT")
SECOND = 1_000_000_000

prices = st.decimals("0.0001", "99999", places=4)
sizes = st.decimals("0.00001", "9999", places=5)
fees = st.decimals("-3", "3", places=8)
sides = st.sampled_from(Side)
assets = st.sampled_from(["ALT", "USDT", "BNB", "BTC"])
names = st.sampled_from(["alt", "cross", "btc", "twin"])
markets = st.sampled_from([ALT, BTC, ALT_BTC, BNB])
events = st.lists(
    st.one_of(
        st.tuples(st.just("mark"), markets, prices),
        st.tuples(st.just("fill"), names, sides, sizes, prices, fees, assets),
        st.tuples(st.just("target"), names, sizes),
        st.tuples(st.just("transfer"), assets, st.decimals("-500", "500", places=6)),
        st.tuples(st.just("sample")),
    ),
    max_size=40,
)
MARKET_OF = {"alt": ALT, "cross": ALT_BTC, "btc": BTC, "twin": ALT}


def play(ledger: AccountLedger, story: list[tuple]) -> None:  # type: ignore[type-arg]  # events differ in their shapes
    for number, event in enumerate(story):
        match event:
            case ("mark", market, mid):
                ledger.on_mark(market, mid, number)
            case ("fill", name, side, size, price, fee, asset):
                trade = fill(
                    side,
                    str(size),
                    str(price),
                    fee=str(fee),
                    fee_asset=asset,
                    market=MARKET_OF[name],
                )
                ledger.on_fill(name, trade, reference=price)
            case ("target", name, target):
                ledger.on_target(name, target)
            case ("transfer", asset, amount):
                ledger.on_transfer("main", asset, amount)
            case _:
                ledger.sample(number)


def valued(ledger: AccountLedger) -> Decimal:
    """Equity by hand: every balance that the venue should show, at this ledger's marks."""
    mids = {market: ledger.marks.mid(market) for market in (ALT, BTC, BNB)}
    rates = {"USDT": D(1), "ALT": mids[ALT], "BTC": mids[BTC], "BNB": mids[BNB]}
    return sum(
        (flow.balance * (rates[asset] or D(0)) for (_, asset), flow in ledger.flows.items()), D(0)
    )


@given(events)
def test_the_change_of_equity_is_the_sum_of_the_parts_to_the_last_digit(
    story: list[tuple],  # type: ignore[type-arg]  # events differ in their shapes
) -> None:
    strategies = [terms("cross", ALT_BTC), terms("alt"), terms("btc", BTC), terms("twin")]
    early, late = AccountLedger("USDT", strategies), AccountLedger("USDT", strategies)
    for ledger in (early, late):
        ledger.open("main", {"ALT": D("2500.5"), "USDT": D(5000), "BTC": D("0.1")})
    for market in (ALT, BTC, ALT_BTC, BNB):
        early.on_mark(market, D("1.2345"), 0)

    play(early, story)
    play(late, story)

    assert early.unbalanced() == 0
    assert late.unbalanced() in (None, D(0))


@given(events.map(lambda story: [event for event in story if event[0] != "target"]))
def test_equity_is_what_the_balances_are_worth(
    story: list[tuple],  # type: ignore[type-arg]  # events differ in their shapes
) -> None:
    kept = [e for e in story if not (e[0] == "fill" and e[1] in ("cross", "btc"))]
    ledger = AccountLedger("USDT", [terms("alt"), terms("twin")])
    ledger.open("main", {"ALT": D("2500.5"), "USDT": D(5000)})
    for market in (ALT, BTC, BNB):
        ledger.on_mark(market, D(2), 0)

    play(ledger, kept)

    assert ledger.sample(50).equity == valued(ledger)
    assert ledger.unbalanced() == 0


def test_a_round_trip_by_hand() -> None:
    # given 1000 ALT at 2 and 5000 USDT, of which 900 ALT are the target
    ledger = account(ALT="1000", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)
    ledger.on_target("alt", D(900))
    ledger.sample(0)

    # when 100 ALT are bought at 1.99 with a fee of 0.1 ALT, the market rises by 0.05,
    # and 50 ALT are sold at 2.06 for a fee of 0.02 USDT
    bought = ledger.on_fill("alt", fill(Side.BUY, "100", "1.99", fee="0.1", fee_asset="ALT"), D(2))
    ledger.on_mark(ALT, D("2.05"), 1)
    sold = ledger.on_fill("alt", fill(Side.SELL, "50", "2.06", fee="0.02"), D("2.04"))
    sample = ledger.sample(2)

    # then
    assert bought.spread == D("1.00")
    assert bought.edge == D("1.00")
    assert bought.staleness == 0
    assert sold.spread == D("0.50")
    assert sold.edge == D("1.00")
    assert sold.staleness == D("-0.50")
    assert sample.parts == PnlParts(
        spread=D("1.50"),
        inventory=(D("1099.9") - 900) * D("0.05"),
        holding=900 * D("0.05"),
        fees=-(D("0.1") * 2 + D("0.02")),
    )
    assert sample.equity == D("1049.9") * D("2.05") + 5000 - 199 + 103 - D("0.02")
    assert ledger.flows["main", "ALT"].balance == D("1049.9")
    assert ledger.flows["main", "USDT"].balance == D("4903.98")


def test_a_transfer_moves_the_base_and_not_the_profit() -> None:
    ledger = account(ALT="1000", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)
    ledger.sample(0)

    ledger.on_transfer("main", "ALT", D(500))
    ledger.on_transfer("main", "USDT", D(-1000))

    sample = ledger.sample(1)
    assert sample.equity == 7000
    assert sample.parts.total == 0
    assert sample.drawdown == 0
    assert ledger.transferred == 0
    assert ledger.nav.now == 7000
    assert ledger.unbalanced() == 0


def test_equity_without_a_mark_is_unavailable_and_not_zero() -> None:
    ledger = account(ALT="1000", USDT="5000")

    assert ledger.sample(0).equity is None
    assert ledger.start_equity is None


def test_equity_on_a_mark_that_is_too_old_is_unavailable_and_its_age_recorded() -> None:
    ledger = account(ALT="1000", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)

    assert ledger.sample(60 * SECOND).equity == 7000
    late = ledger.sample(61 * SECOND)

    assert late.equity is None
    assert late.mark_age_ns == 61 * SECOND
    assert ledger.oldest_mark_ns == 61 * SECOND


def test_an_asset_without_a_mark_path_makes_equity_unavailable() -> None:
    ledger = account(ALT="1000", USDT="5000", XYZ="1")
    ledger.on_mark(ALT, D(2), 0)

    assert ledger.sample(0).equity is None


def test_the_price_move_of_an_asset_that_nobody_trades_is_other() -> None:
    ledger = account(USDT="5000", BNB="2")
    ledger.on_mark(BNB, D(600), 0)
    ledger.sample(0)

    ledger.on_mark(BNB, D(610), 1)

    assert ledger.sample(1).parts == PnlParts(other=D(20))


def test_a_fee_in_a_third_asset_counts_at_its_mark_and_then_moves_as_other() -> None:
    ledger = account(ALT="10", USDT="5000", BNB="2")
    ledger.on_mark(ALT, D(2), 0)
    ledger.on_mark(BNB, D(600), 0)
    ledger.sample(0)

    ledger.on_fill("alt", fill(Side.BUY, "1", "2", fee="0.001", fee_asset="BNB"))
    ledger.on_mark(BNB, D(700), 1)

    sample = ledger.sample(1)
    assert sample.parts.fees == D("-0.6")
    assert sample.parts.other == D("199.9")
    assert ledger.unbalanced() == 0


def test_a_rebate_is_a_negative_fee() -> None:
    ledger = account(ALT="10", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)

    ledger.on_fill("alt", fill(Side.SELL, "1", "2", fee="-0.01"))

    assert ledger.sample(0).parts.fees == D("0.01")
    assert ledger.flows["main", "USDT"].balance == D("5002.01")


def test_a_fill_before_the_first_mark_captures_no_spread_and_breaks_nothing() -> None:
    ledger = account(USDT="5000")
    ledger.sample(0)

    booked = ledger.on_fill("alt", fill(Side.BUY, "1", "2", fee="0.01", fee_asset="ALT"))
    ledger.on_mark(ALT, D(3), 1)

    assert booked.mark is None
    assert booked.staleness is None
    assert ledger.sample(1).equity == 4998 + D("2.97")
    assert ledger.unbalanced() == 0


def test_the_leg_of_another_strategy_moves_the_position_of_the_assets_owner() -> None:
    ledger = AccountLedger("USDT", [terms("cross", ALT_BTC), terms("btc", BTC)])
    ledger.open("main", {"BTC": D(1), "USDT": D(0)})
    ledger.on_mark(BTC, D(50000), 0)
    ledger.on_mark(ALT_BTC, D("0.0001"), 0)
    ledger.sample(0)

    booked = ledger.on_fill(
        "cross", fill(Side.BUY, "1000", "0.00009", fee_asset="BTC", market=ALT_BTC)
    )

    assert booked.spread == D("0.01")  # BTC, and 500 USDT in the parts:
    assert ledger.strategies["cross"].book.parts.spread == D(500)
    assert ledger.strategies["btc"].book.quantity == D("0.91")
    assert ledger.sample(1).equity == D(50500)


def test_a_market_that_trades_the_currency_itself_adds_up() -> None:
    usdt = MarketId("main", "USDT/EUR")
    ledger = AccountLedger("USDT", [terms("fx", usdt)])
    ledger.open("main", {"USDT": D(100), "EUR": D(100)})
    ledger.on_mark(usdt, D("0.9"), 0)
    ledger.sample(0)

    ledger.on_fill("fx", fill(Side.BUY, "9", "0.89", market=usdt))
    ledger.on_mark(usdt, D("0.92"), 1)

    assert ledger.unbalanced() == 0
    assert ledger.strategies["fx"].book.mark == 1
    assert ledger.sample(1).parts.other < 0


def test_an_asset_that_gets_its_first_mark_late_counts_as_other() -> None:
    ledger = account(USDT="5000")
    ledger.on_mark(ALT, D(2), 0)
    ledger.sample(0)
    ledger.on_transfer("main", "BNB", D(1))
    assert ledger.sample(1).equity is None

    ledger.on_mark(BNB, D(600), 2)

    assert ledger.sample(2).parts.other == 600
    assert ledger.unbalanced() == 0


def test_a_rate_that_is_too_old_is_none() -> None:
    ledger = account(ALT="1000", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)

    fresh, old = ledger.rate("ALT", 60 * SECOND), ledger.rate("ALT", 61 * SECOND)

    assert fresh is not None
    assert fresh.value == 2
    assert old is None
    assert ledger.rate("XYZ", 0) is None
    assert ledger.rate("USDT", 10**18) is not None


def test_an_account_needs_a_strategy() -> None:
    with pytest.raises(ValueError, match="nobody"):
        AccountLedger("USDT", [])


def test_the_second_view_tells_realised_from_unrealised() -> None:
    ledger = account(ALT="100", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)
    ledger.sample(0)

    ledger.on_fill("alt", fill(Side.SELL, "40", "2.5"))
    ledger.on_mark(ALT, D(3), 1)
    ledger.sample(1)

    cost = ledger.strategies["alt"].cost
    assert cost.realised == D(20)
    assert cost.unrealised(D(3)) == D(60)


def test_numbers_with_many_digits_lose_none_of_them() -> None:
    cross = MarketId("main", "ALT/EUR")
    ledger = AccountLedger("USDT", [terms("cross", cross)])
    ledger.open("main", {"ALT": D("123456789.123456789012345678"), "EUR": D("1e15")})
    ledger.on_mark(MarketId("main", "USDT/EUR"), D("0.912345678901234567"), 0)
    ledger.on_mark(cross, D("98765.432109876543210987"), 0)
    ledger.sample(0)

    for number in range(1, 6):
        side = Side.BUY if number % 2 else Side.SELL
        trade = fill(
            side, f"{number}.123456789012345678", f"98765.43210987654321{number}", market=cross
        )
        ledger.on_fill("cross", trade, D("98765.1"))
        ledger.on_mark(MarketId("main", "USDT/EUR"), D(f"0.91234567890123{number}"), number)
        ledger.on_mark(cross, D(f"98765.43210987654{number}"), number)

    assert ledger.unbalanced() == 0
