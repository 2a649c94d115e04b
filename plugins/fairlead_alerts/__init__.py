"""Carry alerts out of the engine: into a file, and to a web address."""

from fairlead import hookimpl
from fairlead.api import Registry
from fairlead_alerts.config import LogConfig, WebhookConfig
from fairlead_alerts.log import LogNotifier
from fairlead_alerts.webhook import WebhookNotifier

__all__ = ["LogConfig", "LogNotifier", "WebhookConfig", "WebhookNotifier", "fairlead_register"]


@hookimpl
def fairlead_register(registry: Registry) -> None:
    """Offer the notifiers; each is on where ``[alerts.NAME]`` is written."""
    registry.notifier(
        "log",
        LogConfig,
        LogNotifier,
        summary="a line of JSON in a file for each alert",
    )
    registry.notifier(
        "webhook",
        WebhookConfig,
        WebhookNotifier,
        summary="an HTTP request with the alert as JSON, to a chat or a pager",
    )
