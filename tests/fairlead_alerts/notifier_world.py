"""A context for notifiers in virtual time."""

from pathlib import Path

from fairlead.api import Alert, NotifierContext, Secret, Severity
from fairlead.testing import VirtualClock, VirtualTransport

URL = "https://hooks.example/T000/canary-of-a-secret"


def context(
    clock: VirtualClock, transport: VirtualTransport, folder: Path = Path(), url: str = URL
) -> NotifierContext:
    return NotifierContext("webhook", clock, transport, folder, lambda reference: Secret(url))


def alert(
    number: int = 1, severity: Severity = Severity.WARNING, name: str = "stream_lost"
) -> Alert:
    return Alert(severity, name, "main: cut", "demo", "demo-3", 7, number)
