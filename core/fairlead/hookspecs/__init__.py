"""Specify the hooks through which a plugin offers its parts to the kernel."""

from fairlead.hookspecs.marker import PROJECT, hookspec
from fairlead.hookspecs.observing import (
    fairlead_alert,
    fairlead_filled,
    fairlead_order_changed,
    fairlead_started,
    fairlead_stopped,
)
from fairlead.hookspecs.offering import fairlead_commands, fairlead_register

__all__ = [
    "PROJECT",
    "fairlead_alert",
    "fairlead_commands",
    "fairlead_filled",
    "fairlead_order_changed",
    "fairlead_register",
    "fairlead_started",
    "fairlead_stopped",
    "hookspec",
]
