"""Quote one price on each side of the mid."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fairlead.api import (
    ControllerContext,
    Decision,
    Exact,
    Gate,
    NoMemory,
    QuotesConfig,
    Ratio,
    View,
)
from fairlead.model import Quote, Reason, Side


def not_negative(spread: Ratio) -> Ratio:
    """Refuse a spread that would cross the mid."""
    if spread.value < 0:
        raise ValueError('must not be below zero, e.g. "10 bps"')
    return spread


class SymmetricConfig(BaseModel):
    """The keys of a strategy table beside the engine's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spread: Annotated[Ratio, AfterValidator(not_negative)] = Field(
        description="distance of each quote from the mid"
    )
    quantity: Exact = Field(description="base units of each quote")


class Symmetric:
    """Decide from what is seen alone, so that a replay decides the same."""

    plan = QuotesConfig(refresh_every_ns=2_000_000_000)

    def __init__(self, config: SymmetricConfig) -> None:
        self._config = config

    def initial(self) -> NoMemory:
        """Give the memory to start with: none."""
        return NoMemory()

    def decide(self, view: View, memory: NoMemory) -> Decision[NoMemory]:
        """Wish for both quotes; without a valid book for none, and say so."""
        mid = view.mid
        if mid is None:
            gate = Gate("no valid book", "pulled until the book is valid")
            return Decision(memory, quotes=(), gates=(gate,))
        spread = self._config.spread.value * view.spread_factor
        quotes = []
        for side in Side:
            price = mid * (1 - side.sign * spread)
            reasons = (
                Reason("reference", "price", None, mid, "mid"),
                Reason("spread", "price", mid, price, str(self._config.spread)),
            )
            quotes.append(Quote(side, 0, price, self._config.quantity.value, mid, reasons))
        return Decision(memory, quotes=tuple(quotes))


def build(config: SymmetricConfig, context: ControllerContext) -> Symmetric:
    """Build the strategy for one market."""
    if context.instrument.inverse:
        context.refuse("market", str(context.instrument.market), "inverse contracts not quoted")
    return Symmetric(config)
