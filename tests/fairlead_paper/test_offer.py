from __future__ import annotations

from pathlib import Path

from fairlead.api import Registry, SourceContext
from fairlead.kernel.ids import SeededIds
from fairlead_paper import PaperConfig, PaperConnector, fairlead_register


def test_the_plugin_offers_the_venue_and_its_sources() -> None:
    registry = Registry()
    registry.enter("paper", "fairlead 1")

    fairlead_register(registry)

    offers = registry.offers()
    paper = offers.connectors["paper"]
    assert (paper.config, paper.build) == (PaperConfig, PaperConnector)
    assert set(offers.sources) == {"synthetic", "file"}
    assert paper.summary
    assert all(offer.summary for offer in offers.sources.values())


def test_a_synthetic_source_is_built_from_its_argument() -> None:
    registry = Registry()
    registry.enter("paper", "fairlead 1")
    fairlead_register(registry)

    context = SourceContext("main", SeededIds(7).random, Path(), {})
    source = registry.offers().sources["synthetic"].build("midcap", context)

    assert source.market().symbol == "ALT/USDT"
