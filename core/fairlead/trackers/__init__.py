"""Track three truths: the market, our account, and our own orders."""

from fairlead.trackers.account import AccountTracker, VenueAccount, needs
from fairlead.trackers.markets import Feed, MarketTracker
from fairlead.trackers.orders import Order, OrderTracker

__all__ = [
    "AccountTracker",
    "Feed",
    "MarketTracker",
    "Order",
    "OrderTracker",
    "VenueAccount",
    "needs",
]
