"""A venue is asked for its markets without anything being run, whatever its builder does."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from fairlead.api import Connector, ConnectorContext, Offer, Offers
from fairlead.errors import ConfigError, FeedError, Finding
from fairlead.kernel import markets_of


class Table(BaseModel):
    """A venue's table without keys."""


class Known:
    """A connector of which nothing but its markets is asked."""

    instruments = {"ALT/USDT": None, "BTC/USDT": None}  # noqa: RUF012 - a constant of the test


def offering(trouble: Exception | None) -> Offers:
    def build(options: Table, context: ConnectorContext) -> Connector:
        if trouble is not None:
            raise trouble
        known: Connector = Known()  # type: ignore[assignment]  # it has what is asked for
        return known

    offer = Offer("sea", "plugin", "distribution", "", Table, build)
    return Offers(connectors={"sea": offer}, controllers={}, rules={}, sources={})


def test_the_symbols_are_those_of_the_connector() -> None:
    ask = markets_of(offering(None), Path())

    assert ask("main", "sea", Table()) == ("ALT/USDT", "BTC/USDT")


def test_findings_of_the_connector_come_with_their_keys() -> None:
    trouble = ConfigError((Finding("venues.main", "source", "x", "y"),))

    with pytest.raises(ConfigError) as raised:
        markets_of(offering(trouble), Path())("main", "sea", Table())

    assert raised.value.findings == trouble.findings


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (FeedError("a.gz", "there is no such file"), "a.gz: there is no such file"),
        (ValueError("one\n  two"), "one two"),
        (KeyError(), "KeyError"),
    ],
    ids=["ours", "in lines", "without a word"],
)
def test_any_other_trouble_is_one_line(trouble: Exception, said: str) -> None:
    assert markets_of(offering(trouble), Path())("main", "sea", Table()) == said
