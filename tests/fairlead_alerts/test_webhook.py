"""The webhook: bounded tries of one and the same alert, and an address that nobody sees."""

import json
import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest

from fairlead.api import NotifyError, Request, Response, Severity
from fairlead.testing import Passage, Server, VirtualClock, VirtualTransport, run_virtual
from fairlead_alerts import WebhookConfig, WebhookNotifier
from tests.fairlead_alerts.notifier_world import URL, alert, context

SECOND = 1_000_000_000
Handler = Callable[[Request], Response]


def config(**keys: object) -> WebhookConfig:
    return WebhookConfig.model_validate({"secret_url": "env:HOOK", **keys})


def hooked(
    script: Callable[[WebhookNotifier, VirtualClock], Awaitable[None]],
    *answers: int,
    passages: tuple[Passage, ...] = (),
    **keys: object,
) -> Server:
    """Run a script against a server that gives these statuses, then 200 for good."""
    left = list(answers)
    servers: list[Server] = []

    async def main(clock: VirtualClock) -> None:
        transport = VirtualTransport(clock)
        transport.script(*passages)
        servers.append(
            transport.serve(
                "https://", lambda request: Response(left.pop(0) if left else 200, {}, b"ok")
            )
        )
        notifier = WebhookNotifier(config(**keys), context(clock, transport))
        await script(notifier, clock)
        await notifier.close()

    run_virtual(main)
    return servers[0]


async def once(notifier: WebhookNotifier, clock: VirtualClock) -> None:
    del clock
    await notifier.notify(alert())


def test_an_alert_is_one_post_that_chats_understand() -> None:
    (request,) = hooked(once).requests

    assert (request.method, request.url) == ("POST", URL)
    assert request.headers["Content-Type"] == "application/json"
    body = json.loads(request.body)
    assert body["text"] == body["content"] == "demo: WARNING stream_lost: main: cut"
    assert body["schema"] == 1
    assert (body["severity"], body["name"], body["at_ns"]) == ("warning", "stream_lost", 7)


@pytest.mark.parametrize("answers", [(500,), (503, 429), (429,)])
def test_a_busy_receiver_is_tried_again_with_the_same_alert(answers: tuple[int, ...]) -> None:
    requests = hooked(once, *answers).requests

    assert len(requests) == len(answers) + 1
    assert {request.headers["Idempotency-Key"] for request in requests} == {"demo-3-1"}
    assert len({request.body for request in requests}) == 1


def test_tries_wait_longer_each_time_and_end() -> None:
    times: list[int] = []

    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        begun = clock.now_ns()
        with pytest.raises(NotifyError, match=r"^the answer was 500, tried 3 times$"):
            await notifier.notify(alert())
        times.append(clock.now_ns() - begun)

    server = hooked(script, 500, 500, 500, 500)

    assert len(server.requests) == 3
    assert 3 * SECOND <= times[0] < 4 * SECOND


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_a_refusal_is_final(status: int) -> None:
    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        with pytest.raises(NotifyError, match=f"^the answer was {status}, tried 1 times$"):
            await notifier.notify(alert())

    assert len(hooked(script, status).requests) == 1


@pytest.mark.parametrize(
    ("passage", "said"),
    [
        (Passage(refused=True), "not reached, tried 3 times"),
        (Passage(answer_lost=True), "no answer, tried 3 times"),
        (Passage(request_lost=True), "no answer, tried 3 times"),
    ],
)
def test_nobody_there_is_tried_a_few_times_and_no_more(passage: Passage, said: str) -> None:
    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        with pytest.raises(NotifyError, match=f"^{said}$"):
            await notifier.notify(alert())

    hooked(script, passages=(passage,) * 3, patience="1 s")


def test_alerts_below_the_grade_are_left_out() -> None:
    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        for number, severity in enumerate(Severity):
            await notifier.notify(alert(number, severity))

    requests = hooked(script, least="critical").requests

    assert [json.loads(one.body)["severity"] for one in requests] == ["critical"]


def test_more_than_so_many_a_minute_wait() -> None:
    times: list[int] = []

    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        for number in range(5):
            await notifier.notify(alert(number))
            times.append(clock.now_ns() // SECOND)

    hooked(script, per_minute=2)

    assert times == [0, 0, 60, 60, 120]


@pytest.mark.parametrize(
    "url", ["", "hooks.example/x", "ftp://hooks.example/canary", "http://hooks.example/canary"]
)
def test_an_address_without_encryption_is_refused_unless_it_stays_here(url: str) -> None:
    async def main(clock: VirtualClock) -> None:
        with pytest.raises(ValueError, match="https://") as raised:
            WebhookNotifier(config(), context(clock, VirtualTransport(clock), url=url))
        assert "canary" not in str(raised.value)

    run_virtual(main)


@pytest.mark.parametrize("host", ["localhost:8", "127.0.0.1:8", "[::1]:8"])
def test_this_machine_needs_none(host: str) -> None:
    async def main(clock: VirtualClock) -> None:
        WebhookNotifier(config(), context(clock, VirtualTransport(clock), url=f"http://{host}/x"))

    run_virtual(main)


def test_no_error_log_or_repr_shows_the_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []

    async def script(notifier: WebhookNotifier, clock: VirtualClock) -> None:
        said.append(repr(notifier) + repr(vars(notifier)))
        try:
            await notifier.notify(alert())
        except NotifyError as error:
            said.append("".join(traceback.format_exception(error)) + repr(error))

    hooked(script, passages=(Passage(refused=True),) * 3)
    answered = hooked(once).requests
    assert len(answered) == 1
    said.append(repr(answered))
    said.append(repr(Request("POST", URL, private=True)))

    assert len(said) == 4
    assert "canary" not in "".join(said) + caplog.text
