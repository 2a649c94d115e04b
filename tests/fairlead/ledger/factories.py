"""Small things that the ledger's tests share."""

from decimal import Decimal

from fairlead.ledger import AccountLedger, Obligation, StrategyTerms
from fairlead.model import ConstantStep, Fill, Instrument, Liquidity, MarketId, Side

ALT = MarketId("main", "ALT/USDT")
D = Decimal


def instrument(market: MarketId = ALT) -> Instrument:
    base, _, quote = market.symbol.partition("/")
    return Instrument(market, base, quote, ConstantStep(D("0.0001")), D("0.01"))


def terms(name: str = "alt", market: MarketId = ALT) -> StrategyTerms:
    return StrategyTerms(name, instrument(market), Obligation(), D(2000))


def account(**balances: str) -> AccountLedger:
    ledger = AccountLedger("USDT", [terms()])
    ledger.open("main", {asset: D(amount) for asset, amount in balances.items()})
    return ledger


def fill(
    side: Side,
    quantity: str,
    price: str,
    *,
    fee: str = "0",
    fee_asset: str = "USDT",
    market: MarketId = ALT,
    venue_ns: int = 0,
    trade: str = "t1",
    liquidity: Liquidity = Liquidity.MAKER,
) -> Fill:
    return Fill(
        market=market,
        venue_ns=venue_ns,
        local_ns=venue_ns,
        trade_id=trade,
        client_id="aaaaaaaaaabbbbbbbb",
        venue_id="v1",
        side=side,
        price=D(price),
        quantity=D(quantity),
        fee=D(fee),
        fee_asset=fee_asset,
        liquidity=liquidity,
    )
