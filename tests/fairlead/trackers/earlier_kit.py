"""What the store tells a start of an order of a run before."""

from decimal import Decimal

from fairlead.model import OrderIntent, OrderState
from fairlead.store import EarlierOrder


def left_of(
    made: OrderIntent,
    state: OrderState,
    filled: int = 0,
    trades: tuple[str, ...] = (),
    *,
    stepped: int = 0,
    recorded_ns: int = 0,
    closed_ns: int | None = None,
) -> EarlierOrder:
    """Say what is left of an intent, as far as the journal of that run went."""
    return EarlierOrder(
        client_id=made.client_id,
        strategy=made.slot.strategy,
        market=str(made.slot.market),
        side=made.side,
        level=made.slot.level,
        price=made.price,
        quantity=made.quantity,
        time_in_force=made.time_in_force,
        post_only=made.post_only,
        reduce_only=made.reduce_only,
        purpose=made.purpose,
        decided_ns=made.decided_ns,
        recorded_ns=recorded_ns,
        state=state,
        filled=Decimal(filled),
        trades=trades,
        closed_ns=closed_ns,
        stepped=Decimal(stepped),
    )
