"""Simulate a venue on the other side of the Transport seam, with its truth open to oracles."""

from fairlead.testing.simulated.account import News, SimulatedAccount
from fairlead.testing.simulated.budget import Budget
from fairlead.testing.simulated.chance import Chance
from fairlead.testing.simulated.channel import Channel, MarketChannel, StreamKind, UserChannel
from fairlead.testing.simulated.deeds import Deeds
from fairlead.testing.simulated.desk import RequestDesk
from fairlead.testing.simulated.flow import HINT, MarketFlow, ThinFlow, full_flow
from fairlead.testing.simulated.knobs import Knobs, VenueSetup
from fairlead.testing.simulated.truth import (
    Effect,
    EffectKind,
    LiveOrder,
    Origin,
    SlotWatch,
    VenueTruth,
)
from fairlead.testing.simulated.venue import SimulatedVenue

__all__ = [
    "HINT",
    "Budget",
    "Chance",
    "Channel",
    "Deeds",
    "Effect",
    "EffectKind",
    "Knobs",
    "LiveOrder",
    "MarketChannel",
    "MarketFlow",
    "News",
    "Origin",
    "RequestDesk",
    "SimulatedAccount",
    "SimulatedVenue",
    "SlotWatch",
    "StreamKind",
    "ThinFlow",
    "UserChannel",
    "VenueSetup",
    "VenueTruth",
    "full_flow",
]
