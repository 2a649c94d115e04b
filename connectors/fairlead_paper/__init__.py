"""Offer the paper venue and the markets to trade on it: recorded and synthetic."""

from __future__ import annotations

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead.market import SyntheticSource, recorded_source
from fairlead_paper.agenda import Agenda
from fairlead_paper.config import FeeTable, InstrumentTable, LatencyTable, PaperConfig
from fairlead_paper.connector import PaperConnector
from fairlead_paper.market import PaperMarket, open_market
from fairlead_paper.stamp import stamped

__all__ = [
    "Agenda",
    "FeeTable",
    "InstrumentTable",
    "LatencyTable",
    "PaperConfig",
    "PaperConnector",
    "PaperMarket",
    "fairlead_register",
    "open_market",
    "stamped",
]


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the connector ``paper`` and the sources ``synthetic`` and ``file``."""
    registry.connector(
        "paper",
        PaperConfig,
        PaperConnector,
        summary="a venue of play money on recorded or synthetic markets, without a network",
    )
    registry.data_source(
        "synthetic",
        SyntheticSource,
        summary="a made-up market, the same for the same seed: synthetic:midcap, synthetic:major",
    )
    registry.data_source(
        "file",
        recorded_source,
        summary="recorded raw Binance streams, in order: file:a.jsonl.gz,b.jsonl.gz",
    )
