"""Test plugins with the tools the engine tests itself with: virtual time and scripted venues."""

from fairlead.kernel import SeededIds, StandstillError, VirtualClock, VirtualLoop
from fairlead.testing.clock import StillClock
from fairlead.testing.disk import MemoryDisk
from fairlead.testing.exchange import ScriptedExchange
from fairlead.testing.factory import (
    MARKET,
    SCALE,
    balance_update,
    book_view,
    client_id,
    diff,
    fill,
    instrument,
    intent,
    order_update,
    quote,
    slot,
    snapshot,
    trade,
    view,
)
from fairlead.testing.journal import MemoryStore, MemoryTrace
from fairlead.testing.neutral import NeutralConfig, NeutralConnector, offer_neutral
from fairlead.testing.process import VirtualHelper, VirtualProcess
from fairlead.testing.run import run_virtual
from fairlead.testing.simulated import (
    Deeds,
    Effect,
    EffectKind,
    Knobs,
    LiveOrder,
    Origin,
    SimulatedVenue,
    SlotWatch,
    StreamKind,
    VenueSetup,
    VenueTruth,
)
from fairlead.testing.stream import ClientStream, Pipe, ServerStream
from fairlead.testing.transport import (
    Handler,
    Passage,
    Server,
    ServerHost,
    StreamHandler,
    VirtualTransport,
)
from fairlead.testing.venue import SCRIPTED, Script, ScriptedVenue

__all__ = [
    "MARKET",
    "SCALE",
    "SCRIPTED",
    "ClientStream",
    "Deeds",
    "Effect",
    "EffectKind",
    "Handler",
    "Knobs",
    "LiveOrder",
    "MemoryDisk",
    "MemoryStore",
    "MemoryTrace",
    "NeutralConfig",
    "NeutralConnector",
    "Origin",
    "Passage",
    "Pipe",
    "Script",
    "ScriptedExchange",
    "ScriptedVenue",
    "SeededIds",
    "Server",
    "ServerHost",
    "ServerStream",
    "SimulatedVenue",
    "SlotWatch",
    "StandstillError",
    "StillClock",
    "StreamHandler",
    "StreamKind",
    "VenueSetup",
    "VenueTruth",
    "VirtualClock",
    "VirtualHelper",
    "VirtualLoop",
    "VirtualProcess",
    "VirtualTransport",
    "balance_update",
    "book_view",
    "client_id",
    "diff",
    "fill",
    "instrument",
    "intent",
    "offer_neutral",
    "order_update",
    "quote",
    "run_virtual",
    "slot",
    "snapshot",
    "trade",
    "view",
]
