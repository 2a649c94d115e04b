"""Send alerts to a web address: JSON that a chat's incoming hook or a pager understands.

The address is a secret, for who knows it can write there: it is in no message and no error. An
alert is tried a few times while nobody answers or the other side is busy, always as the same
alert: the number in its ``Idempotency-Key`` tells a receiver that cares which ones are the same.
"""

from __future__ import annotations

from collections import deque
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from fairlead.api import Alert, NotifierContext, NotifyError, Request, TransportError
from fairlead_alerts.config import WebhookConfig

__all__ = ["WebhookNotifier"]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_FIRST_WAIT_NS = 1 * _SECOND
_TOO_MANY = 429


class WebhookNotifier:
    """One address; slow, busy or absent, it holds up nobody but its own next alert."""

    def __init__(self, config: WebhookConfig, context: NotifierContext) -> None:
        self._config = config
        self._clock = context.clock
        self._transport = context.transport
        self._url = context.secret(config.secret_url)
        _check(self._url.reveal())
        self._sent: deque[int] = deque()

    async def notify(self, alert: Alert) -> None:
        """Post it. :raises NotifyError: when nobody takes it, after the last try."""
        if alert.severity.rank < self._config.least.rank:
            return
        await self._wait_for_room()
        request = self._request(alert)
        wait_ns = _FIRST_WAIT_NS
        for attempt in range(1, self._config.attempts + 1):
            problem, again = await self._post(request)
            if not problem:
                return
            if not again or attempt == self._config.attempts:
                raise NotifyError(f"{problem}, tried {attempt} times")
            await self._clock.sleep_ns(wait_ns)
            wait_ns *= 2

    async def close(self) -> None:
        """Do nothing: the transport is its giver's."""

    async def _post(self, request: Request) -> tuple[str, bool]:
        # What is wrong, "" = nothing, and whether the same may be tried again.
        try:
            answer = await self._transport.request(request, timeout_ns=self._config.patience.ns)
        except TransportError as error:
            return ("no answer" if error.sent else "not reached"), True
        if 200 <= answer.status < 300:
            return "", False
        busy = answer.status == _TOO_MANY or answer.status >= 500
        return f"the answer was {answer.status}", busy

    def _request(self, alert: Alert) -> Request:
        text = alert.text
        # Slack and others read "text", Discord reads "content".
        body = {"schema": 1, "text": text, "content": text} | msgspec.to_builtins(alert)
        return Request(
            "POST",
            self._url.reveal(),
            {
                "Content-Type": "application/json",
                "Idempotency-Key": f"{alert.run or alert.instance}-{alert.number}",
            },
            msgspec.json.encode(body),
            private=True,
        )

    async def _wait_for_room(self) -> None:
        sent = self._sent
        while len(sent) >= self._config.per_minute:
            until_ns = sent.popleft() + _MINUTE
            wait_ns = until_ns - self._clock.monotonic_ns()
            if wait_ns > 0:
                await self._clock.sleep_ns(wait_ns)
        sent.append(self._clock.monotonic_ns())


def _check(url: str) -> None:
    # Without encryption only what never leaves the machine.
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise ValueError("the address must begin with https://")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("the address must begin with https://, or lead to this machine")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
