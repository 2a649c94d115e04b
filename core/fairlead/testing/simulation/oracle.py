"""Define what an oracle hears: everything that matters, from the venue's side and from ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairlead.api import Record, Request, Response
from fairlead.kernel import RunResult
from fairlead.testing.neutral import CancelBatch, PlaceBatch
from fairlead.testing.simulated import Effect

if TYPE_CHECKING:
    from fairlead.testing.simulation.life import Life

__all__ = ["HOOKS", "Oracle", "hooks_of"]


class Oracle:
    """Judges a run while it goes on; says what is broken through `Violations`.

    A subclass hears what it overrides, at the instant when it happens.
    """

    def begun(self, life: Life) -> None:
        """Hear that a process has started."""

    def recorded(self, life: Life, seq: int, record: Record) -> None:
        """Hear of a record of its journal."""

    def durable(self, life: Life, seq: int) -> None:
        """Hear that its journal is safe up to ``seq``."""

    def placing(self, life: Life, venue: str, batch: PlaceBatch) -> None:
        """Hear of creates before they leave."""

    def cancelling(self, life: Life, venue: str, batch: CancelBatch) -> None:
        """Hear of cancels before they leave."""

    def asking(self, life: Life, venue: str, request: Request) -> None:
        """Hear of any request before it leaves, creates and cancels included."""

    def answered(self, life: Life, venue: str, request: Request, response: Response) -> None:
        """Hear of an answer as it comes."""

    def opening(self, life: Life, venue: str, url: str) -> None:
        """Hear of a stream before it is opened."""

    def told(self, life: Life, venue: str, message: str | bytes) -> None:
        """Hear what the account's stream tells a process, before the process does."""

    def effect(self, venue: str, effect: Effect) -> None:
        """Hear what happened to an order at a venue, in truth."""

    def killed(self, life: Life) -> None:
        """Hear that a process was killed, once the disk is as a restart finds it."""

    def ended(self, life: Life, result: RunResult) -> None:
        """Hear that a process has ended of itself."""

    def second(self) -> None:
        """Hear that a second has passed."""


#: What an oracle can hear.
HOOKS = tuple(name for name in vars(Oracle) if not name.startswith("_"))


def hooks_of(oracles: Iterable[Oracle]) -> Mapping[str, tuple[Callable[..., Any], ...]]:
    """Give for each hook the calls of those oracles that listen to it."""
    listed = tuple(oracles)
    return {
        name: tuple(
            getattr(oracle, name)
            for oracle in listed
            if getattr(type(oracle), name) is not getattr(Oracle, name)
        )
        for name in HOOKS
    }
