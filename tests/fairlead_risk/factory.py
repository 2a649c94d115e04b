"""Make the accounts, markets and intents that rule tests start from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from fairlead.api import (
    AccountRisk,
    EquityFigures,
    FillSeen,
    MarginRisk,
    MarketRisk,
    OrderView,
    PriceSource,
    RiskView,
    StreamRisk,
)
from fairlead.model import (
    ConstantStep,
    Fees,
    Fill,
    Instrument,
    InstrumentKind,
    Liquidity,
    MarketId,
    OrderIntent,
    OrderState,
    Purpose,
    Side,
    Slot,
)

MARKET = MarketId("main", "ALT/USDT")
OTHER = MarketId("main", "BTC/USDT")
SECOND = 1_000_000_000
NOW = 1_000 * SECOND


def instrument(
    market: MarketId = MARKET,
    multiplier: str = "1",
    *,
    kind: InstrumentKind = InstrumentKind.SPOT,
    fee: str = "0",
    min_quantity: str = "0",
) -> Instrument:
    base, quote = market.symbol.split("/")
    return Instrument(
        market,
        base,
        quote,
        ConstantStep(Decimal("0.01")),
        lot=Decimal("0.001"),
        multiplier=Decimal(multiplier),
        kind=kind,
        fees=Fees(Decimal(fee), Decimal(fee)),
        min_quantity=Decimal(min_quantity),
    )


def resting(
    side: Side,
    quantity: str,
    *,
    state: OrderState = OrderState.OPEN,
    price: str = "2",
    strategy: str = "alt",
    client_id: str = "",
) -> OrderView:
    return OrderView(
        client_id=client_id,
        slot=Slot(strategy, MARKET, side, 0),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        filled=Decimal(0),
        state=state,
        purpose=Purpose.QUOTE,
        decided_ns=0,
        acknowledged_ns=None,
    )


def market(
    *,
    of: MarketId = MARKET,
    mid: str | None = "2",
    mark: str | None = "2",
    position: str = "0",
    target: str | None = "0",
    orders: tuple[OrderView, ...] = (),
    book_valid: bool = True,
    valid_for_s: float | None = 3600,
    silent_s: float | None = 0,
    multiplier: str = "1",
    kind: InstrumentKind = InstrumentKind.SPOT,
    fee: str = "0",
    min_quantity: str = "0",
    now_ns: int = NOW,
) -> MarketRisk:
    return MarketRisk(
        instrument=instrument(of, multiplier, kind=kind, fee=fee, min_quantity=min_quantity),
        mid=None if mid is None else Decimal(mid),
        mark=None if mark is None else Decimal(mark),
        book_valid=book_valid,
        valid_since_ns=None if valid_for_s is None else now_ns - int(valid_for_s * SECOND),
        book_changed_ns=None if silent_s is None else now_ns - int(silent_s * SECOND),
        position=Decimal(position),
        target=None if target is None else Decimal(target),
        orders=orders,
    )


@dataclass(frozen=True, slots=True)
class Account:
    """An account at an instant, in USDT."""

    equity: Decimal | None = Decimal(10_000)
    peak_equity: Decimal | None = Decimal(10_000)
    day_start_equity: Decimal | None = Decimal(10_000)
    shown: tuple[MarketRisk, ...] = field(default_factory=lambda: (market(),))
    rates: Mapping[str, str] = field(default_factory=lambda: {"ALT": "2", "BTC": "50000"})
    now_ns: int = NOW
    currency: str = "USDT"
    day: int | None = 0
    day_peak_equity: Decimal | None = Decimal(10_000)
    trading: EquityFigures = field(default_factory=EquityFigures)
    realised_today: Decimal | None = Decimal(0)
    margin: MarginRisk | None = None
    overruns: int = 0
    margin_missing: str = ""
    streams: Mapping[str, StreamRisk] = field(default_factory=dict)
    elsewhere: tuple[PriceSource, ...] = ()

    @property
    def account(self) -> AccountRisk:
        figures = EquityFigures(
            self.equity, self.peak_equity, self.day_start_equity, self.day_peak_equity
        )
        return AccountRisk(
            self.day,
            figures,
            self.trading,
            self.realised_today,
            self.margin,
            self.margin_missing,
            self.overruns,
        )

    def stream(self, venue: str) -> StreamRisk:
        return self.streams.get(venue, StreamRisk())

    def sources(self, market: MarketId) -> tuple[PriceSource, ...]:
        return tuple(source for source in self.elsewhere if source.market != market)

    def still(self) -> RiskView:
        return self

    def market(self, market: MarketId) -> MarketRisk:
        return next(risk for risk in self.shown if risk.instrument.market == market)

    def markets(self) -> Sequence[MarketId]:
        return [risk.instrument.market for risk in self.shown]

    def rate(self, asset: str) -> Decimal | None:
        return Decimal(self.rates[asset]) if asset in self.rates else None

    def showing(self, *shown: MarketRisk) -> "Account":
        return replace(self, shown=shown)

    def later(self, seconds: float) -> "Account":
        return replace(self, now_ns=self.now_ns + int(seconds * SECOND))


def intent(
    side: Side = Side.BUY,
    quantity: str | Decimal = "100",
    price: str = "2",
    *,
    post_only: bool = True,
    purpose: Purpose = Purpose.QUOTE,
    of: Instrument | None = None,
    plan: str = "",
) -> OrderIntent:
    rules = instrument() if of is None else of
    return OrderIntent(
        client_id="",
        instrument=rules,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        slot=Slot("alt", rules.market, side, 0, plan),
        post_only=post_only,
        purpose=purpose,
    )


def filled(
    side: Side = Side.BUY,
    value: str | None = "100",
    *,
    liquidity: Liquidity = Liquidity.MAKER,
    purpose: Purpose = Purpose.QUOTE,
    of: MarketId = MARKET,
) -> FillSeen:
    fill = Fill(
        market=of,
        venue_ns=0,
        local_ns=0,
        trade_id="1",
        client_id="",
        venue_id="",
        side=side,
        price=Decimal(2),
        quantity=Decimal(1),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity=liquidity,
    )
    worth = None if value is None else Decimal(value)
    return FillSeen(fill, Slot("alt", of, side, 0), purpose, worth)
