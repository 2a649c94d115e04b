"""Bring alerts from the journal to the notifiers: after the fact is durable, limited, in order.

The engine's loop only queues; a task of the shell waits until the record behind an alert would
survive, and hands it to the `Post`. When the store fails nothing becomes durable any more, and
that is when people must be told: then alerts leave all the same, the failure first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from fairlead.api import Alert, Notifier, NotifierContext, Offers, Record, Severity
from fairlead.config import Settings
from fairlead.errors import ConfigError, Finding, StoreError
from fairlead.kernel.alert_limit import AlertLimit
from fairlead.kernel.alert_rule import Cause, cause_of
from fairlead.store import Journal

__all__ = ["AlertQueue", "build_notifiers"]

_MOST_QUEUED = 1_000


def build_notifiers(
    settings: Settings, offers: Offers, context: Callable[[str], NotifierContext]
) -> dict[str, Notifier]:
    """Build what ``[alerts]`` names; opens nothing yet.

    :raises ConfigError: with every notifier that cannot be built.
    """
    notifiers: dict[str, Notifier] = {}
    findings = []
    for name, config in settings.alerts.items():
        try:
            notifiers[name] = offers.notifiers[name].build(config, context(name))
        except ValueError as error:
            findings.append(Finding(f"alerts.{name}", "notifier", "", str(error)))
    if findings:
        raise ConfigError(tuple(findings))
    return notifiers


class AlertQueue:
    """The queue between the journal and the post; `run` it on the engine's loop."""

    def __init__(
        self,
        journal: Journal,
        names: tuple[str, str],
        send: Callable[[Alert], None],
        limit: AlertLimit | None = None,
    ) -> None:
        self._journal = journal
        self._instance, self._run = names
        self._send = send
        self._limit = AlertLimit() if limit is None else limit
        self._queue: deque[tuple[int, Alert]] = deque()
        self._filled = asyncio.Event()
        self._number = 0
        self._store_failed = False
        #: Alerts dropped because the store was too slow for them.
        self.dropped = 0
        self._end = journal.observe(self._recorded)

    async def run(self) -> None:
        """Hand over until cancelled."""
        while True:
            await self._filled.wait()
            await self.drain()

    async def drain(self) -> None:
        """Hand over what is queued now."""
        while self._queue:
            seq, alert = self._queue[0]
            try:
                await self._journal.durable(seq)
            except StoreError as error:
                self._tell_store(error, alert.at_ns)
            self._queue.popleft()
            self._send(alert)
        self._filled.clear()

    async def finish(self) -> None:
        """Hand over everything, what is held back too: the run is over."""
        self._end()
        for alert in self._limit.rest():
            self._put(self._journal.seq, alert)
        await self.drain()

    def _tell_store(self, error: StoreError, at_ns: int) -> None:
        if not self._store_failed:
            self._store_failed = True
            self._send(self._alert(Cause(Severity.CRITICAL, "store_failed", str(error)), at_ns))

    def _recorded(self, seq: int, now_ns: int, record: Record) -> None:
        for summary in self._limit.due(now_ns):
            self._put(seq, summary)
        cause = cause_of(record)
        if cause is None:
            return
        alert = self._limit.offer(self._alert(cause, now_ns))
        if alert is not None:
            self._put(seq, alert)

    def _alert(self, cause: Cause, at_ns: int) -> Alert:
        self._number += 1
        return Alert(
            severity=cause.severity,
            name=cause.name,
            detail=cause.detail,
            instance=self._instance,
            run=self._run,
            at_ns=at_ns,
            number=self._number,
        )

    def _put(self, seq: int, alert: Alert) -> None:
        if len(self._queue) >= _MOST_QUEUED:
            self.dropped += 1
            return
        self._queue.append((seq, alert))
        self._filled.set()
