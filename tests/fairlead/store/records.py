"""Make records and runs for the tests of the store."""

from collections.abc import Callable
from decimal import Decimal

from fairlead.model import (
    ClientId,
    Liquidity,
    OrderState,
    OrderTrigger,
    Purpose,
    Reason,
    Side,
    TimeInForce,
)
from fairlead.store import (
    FillBooked,
    OrderMoved,
    OrderRecorded,
    QueuedStore,
    RunIdentity,
    TickPassed,
)

MARKET = "main:ALT/USDT"


def begin(
    store: QueuedStore,
    instance: str = "demo",
    *,
    mode: str = "paper",
    seed: int = 7,
    config_hash: str = "c" * 64,
    now_ns: int = 1_000,
    new_tag: Callable[[], int] = lambda: 5,
) -> RunIdentity:
    return store.begin_run(
        instance,
        mode=mode,
        seed=seed,
        config_hash=config_hash,
        config_text="[engine]",
        now_ns=now_ns,
        new_tag=new_tag,
    )


def client_id(counter: int, *, tag: int = 5, epoch: int = 1) -> str:
    return str(ClientId(tag, epoch, counter))


def order(counter: int, *, epoch: int = 1, price: str = "1.2345") -> OrderRecorded:
    return OrderRecorded(
        order=client_id(counter, epoch=epoch),
        strategy="alt",
        market=MARKET,
        side=Side.BUY,
        level=0,
        price=Decimal(price),
        quantity=Decimal("203.10"),
        time_in_force=TimeInForce.GTC,
        post_only=True,
        reduce_only=False,
        purpose=Purpose.QUOTE,
        decided_ns=1_500,
        reference=Decimal("1.2"),
        mid=None,
        reasons=(Reason("spread", "price", Decimal("1.2"), Decimal(price), "8 bps"),),
    )


def moved(counter: int, *, epoch: int = 1) -> OrderMoved:
    return OrderMoved(
        order=client_id(counter, epoch=epoch),
        before=OrderState.PENDING_CREATE,
        trigger=next(iter(OrderTrigger)),
        after=OrderState.OPEN,
        filled=Decimal(0),
    )


def fill(trade: str, counter: int = 1, *, market: str = MARKET) -> FillBooked:
    return FillBooked(
        trade=trade,
        order=client_id(counter),
        strategy="alt",
        market=market,
        side=Side.SELL,
        level=1,
        price=Decimal("1E+3"),
        quantity=Decimal("0.000000010"),
        fee=Decimal("-0.5"),
        fee_asset="USDT",
        liquidity=Liquidity.MAKER,
        venue_ns=1_700,
        mark=None,
        reference=None,
        spread=None,
    )


def tick(number: int) -> TickPassed:
    return TickPassed(number=number, skipped=0, messages=3, digest="d" * 16)
