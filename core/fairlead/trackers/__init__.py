"""Track three truths: the market, our account, and our own orders."""

from fairlead.trackers.account import AccountTracker, VenueAccount
from fairlead.trackers.claims import Claims, OrderClaims, needs
from fairlead.trackers.markets import Feed, MarketTracker
from fairlead.trackers.order import Order
from fairlead.trackers.orders import OrderTracker

__all__ = [
    "AccountTracker",
    "Claims",
    "Feed",
    "MarketTracker",
    "Order",
    "OrderClaims",
    "OrderTracker",
    "VenueAccount",
    "needs",
]
