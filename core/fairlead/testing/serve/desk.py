"""Let tests look behind a served venue: its truth, its knobs and its deeds, beside the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from fairlead.testing.serve.host import LoopbackHost
from fairlead.testing.simulated import SimulatedVenue

__all__ = ["AdminDesk"]

_EFFECTS = 5_000


class AdminDesk:
    """The paths ``/admin/truth``, ``knobs``, ``deed`` and ``reset``; for tests alone.

    ``make`` makes the venue, whenever one is wanted that nobody has used yet.
    """

    def __init__(self, make: Callable[[], SimulatedVenue], host: LoopbackHost) -> None:
        self._make = make
        self._host = host
        self._venue = make()
        for name in ("truth", "knobs", "deed", "reset"):
            host.add(f"/admin/{name}", getattr(self, name))

    def open(self) -> None:
        """Serve the venue, and let its market begin."""
        self._venue.serve(self._host)
        self._venue.start()

    def close(self) -> None:
        """Let the venue stand still."""
        self._venue.stop()

    async def reset(self, request: web.Request) -> web.Response:
        """Put a fresh venue in its place; every connection ends."""
        del request
        self.close()
        self._venue.deeds.drop_streams()
        self._venue = self._make()
        self.open()
        return _json({})

    async def truth(self, request: web.Request) -> web.Response:
        """Show orders, effects, fills and balances as they are."""
        del request
        truth = self._venue.truth
        shown: dict[str, Any] = {
            "created": truth.created,
            "open": [
                {
                    "client_id": order.client_id,
                    "side": order.side,
                    "price": order.price,
                    "quantity": order.quantity,
                    "filled": order.filled,
                    "origin": order.origin,
                    "since_ns": order.since_ns,
                }
                for order in truth.open_orders()
            ],
            "effects": list(truth.effects)[-_EFFECTS:],
            "fills": truth.fills,
            "balances": truth.balances(),
            "counts": dict(self._venue.counts),
        }
        return _json(shown)

    async def knobs(self, request: web.Request) -> web.Response:
        """Set knobs by name, e.g. ``{"dead_man": false}``."""
        for name, value in (await request.json()).items():
            if not hasattr(self._venue.knobs, name):
                return web.Response(status=404, text=f"no knob {name!r}")
            setattr(self._venue.knobs, name, tuple(value) if isinstance(value, list) else value)
        return _json({})

    async def deed(self, request: web.Request) -> web.Response:
        """Do a deed by name, e.g. ``{"deed": "drop_streams", "arguments": {}}``."""
        asked = await request.json()
        deed = getattr(self._venue.deeds, asked["deed"], None)
        if deed is None:
            return web.Response(status=404, text=f"no deed {asked['deed']!r}")
        return _json({"result": str(deed(**asked.get("arguments", {})))})


def _json(answer: object) -> web.Response:
    body = msgspec.json.Encoder(decimal_format="string").encode(answer)
    return web.Response(body=body, content_type="application/json")
