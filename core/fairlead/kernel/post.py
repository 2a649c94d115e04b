"""Deliver alerts: each notifier by itself, in order, so that none holds up anyone else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.api import Alert, Notifier, NotifyError

__all__ = ["Delivery", "Post"]

_MOST_WAITING = 100
_CLOSING_S = 1.0


@dataclass(slots=True)
class Delivery:
    """How one notifier fares."""

    sent: int = 0
    failed: int = 0
    #: Left out because too many waited.
    dropped: int = 0
    #: What went wrong last, without any secret; "" = nothing yet.
    trouble: str = ""
    waiting: deque[Alert] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    #: Nothing waits and nothing is under way.
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.idle.set()


class Post:
    """The notifiers of one run: `run` it beside the engine, `send` from the engine's side."""

    def __init__(self, notifiers: Mapping[str, Notifier]) -> None:
        self._notifiers = notifiers
        self.deliveries: Mapping[str, Delivery] = {name: Delivery() for name in notifiers}

    def send(self, alert: Alert) -> None:
        """Take an alert for every notifier; where too many wait, the oldest is left out."""
        for delivery in self.deliveries.values():
            if len(delivery.waiting) >= _MOST_WAITING:
                delivery.waiting.popleft()
                delivery.dropped += 1
            delivery.waiting.append(alert)
            delivery.idle.clear()
            delivery.arrived.set()

    def status(self) -> dict[str, Any]:
        """Say how each notifier fares, for `fairlead status`."""
        return {
            name: {
                "sent": delivery.sent,
                "failed": delivery.failed,
                "dropped": delivery.dropped,
                "waiting": len(delivery.waiting),
                "trouble": delivery.trouble,
            }
            for name, delivery in self.deliveries.items()
        }

    async def run(self) -> None:
        """Deliver until cancelled, then let the notifiers close what they have open."""
        try:
            await asyncio.gather(*(self._serve(name) for name in self._notifiers))
        finally:
            for notifier in self._notifiers.values():
                try:
                    async with asyncio.timeout(_CLOSING_S):
                        await notifier.close()
                except Exception as error:  # noqa: BLE001 - plugin boundary: others close too
                    del error

    async def done(self) -> None:
        """Wait until everything is delivered or given up."""
        for delivery in self.deliveries.values():
            await delivery.idle.wait()

    async def _serve(self, name: str) -> None:
        notifier, delivery = self._notifiers[name], self.deliveries[name]
        while True:
            await delivery.arrived.wait()
            delivery.arrived.clear()
            while delivery.waiting:
                await self._deliver(notifier, delivery, delivery.waiting.popleft())
            delivery.idle.set()

    @staticmethod
    async def _deliver(notifier: Notifier, delivery: Delivery, alert: Alert) -> None:
        try:
            await notifier.notify(alert)
        except NotifyError as error:
            delivery.failed += 1
            delivery.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - plugin boundary: it may raise anything
            delivery.failed += 1
            # Only the kind: what a plugin puts into its errors may be a secret.
            delivery.trouble = f"failed with {type(error).__name__}"
        else:
            delivery.sent += 1
