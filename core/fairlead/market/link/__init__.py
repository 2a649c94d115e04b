"""Link to a venue: streams that stay up, requests whose outcome is never guessed."""

from fairlead.market.link.account import AccountReplay
from fairlead.market.link.backoff import Backoff, ConnectBudget
from fairlead.market.link.book import BookFeed
from fairlead.market.link.clock import VenueTime
from fairlead.market.link.outcome import Meaning, OutcomeRule, OutcomeTable, retry_after_ns
from fairlead.market.link.rest import RestLink
from fairlead.market.link.stream import (
    LinkPolicy,
    LinkState,
    LinkStatus,
    LinkUser,
    ReconnectingStream,
)

__all__ = [
    "AccountReplay",
    "Backoff",
    "BookFeed",
    "ConnectBudget",
    "LinkPolicy",
    "LinkState",
    "LinkStatus",
    "LinkUser",
    "Meaning",
    "OutcomeRule",
    "OutcomeTable",
    "ReconnectingStream",
    "RestLink",
    "VenueTime",
    "retry_after_ns",
]
