"""Make the markets and views that strategy tests start from."""

from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import Balance, Depth, OrderView, View, Walk
from fairlead.model import (
    ConstantStep,
    Fees,
    Instrument,
    InstrumentKind,
    MarketId,
    OrderState,
    Purpose,
    Side,
    Slot,
)
from fairlead_pmm import PmmConfig

MARKET = MarketId("main", "ALT/USDT")
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Book:
    """A book of one level on each side."""

    bid: Decimal
    ask: Decimal
    bid_quantity: Decimal = Decimal(1)
    ask_quantity: Decimal = Decimal(1)

    @property
    def best_bid(self) -> Depth:
        return Depth(self.bid, self.bid_quantity)

    @property
    def best_ask(self) -> Depth:
        return Depth(self.ask, self.ask_quantity)

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def microprice(self) -> Decimal:
        total = self.bid_quantity + self.ask_quantity
        return (self.bid * self.ask_quantity + self.ask * self.bid_quantity) / total

    def depth(self, side: Side, levels: int) -> tuple[Depth, ...]:
        best = self.best_bid if side is Side.BUY else self.best_ask
        return (best,)[:levels]

    def imbalance(self, levels: int) -> float:
        del levels
        return 0.0

    def walk(self, side: Side, quantity: Decimal) -> Walk | None:
        del side, quantity
        return None


def instrument(
    *,
    tick: str = "0.0001",
    lot: str = "1",
    min_quantity: str = "0",
    min_notional: str = "0",
    maker: str = "0",
    kind: InstrumentKind = InstrumentKind.SPOT,
    multiplier: str = "1",
    inverse: bool = False,
) -> Instrument:
    return Instrument(
        MARKET,
        "ALT",
        "USDT",
        ConstantStep(Decimal(tick)),
        lot=Decimal(lot),
        min_quantity=Decimal(min_quantity),
        min_notional=Decimal(min_notional),
        fees=Fees(maker=Decimal(maker)),
        kind=kind,
        multiplier=Decimal(multiplier),
        inverse=inverse,
    )


def balance(free: str | Decimal, *, locked: str = "0", reserved: str = "0") -> Balance:
    return Balance(Decimal(free), Decimal(locked), Decimal(reserved))


def order(
    side: Side,
    level: int = 0,
    *,
    price: str = "2",
    quantity: str = "100",
    state: OrderState = OrderState.OPEN,
    purpose: Purpose = Purpose.QUOTE,
) -> OrderView:
    return OrderView(
        client_id=f"{side}{level}",
        slot=Slot("alt", MARKET, side, level),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        filled=Decimal(quantity) if state is OrderState.FILLED else Decimal(0),
        state=state,
        purpose=purpose,
        decided_ns=0,
        acknowledged_ns=None,
    )


def view(
    *,
    book: Book | None,
    base: Balance | None = None,
    quote: Balance | None = None,
    rules: Instrument | None = None,
    position: Decimal | None = None,
    orders: tuple[OrderView, ...] = (),
    closed: tuple[OrderView, ...] = (),
    spread_factor: str = "1",
    now_ns: int = 0,
) -> View:
    held = balance("2500") if base is None else base
    return View(
        now_ns=now_ns,
        market=MARKET,
        instrument=instrument() if rules is None else rules,
        book=book,
        mark=None,
        base=held,
        quote=balance("5000") if quote is None else quote,
        position=held.total if position is None else position,
        orders=orders,
        trades=(),
        fills=(),
        closed=closed,
        spread_factor=Decimal(spread_factor),
    )


def config(**keys: object) -> PmmConfig:
    return PmmConfig.model_validate({"spread": "8 bps", "order_size": "100 ALT", **keys})
