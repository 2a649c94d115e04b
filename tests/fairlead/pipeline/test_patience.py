import asyncio

import pytest

from fairlead.model import Unavailable
from fairlead.pipeline import ask
from fairlead.testing import VirtualClock, run_virtual

SECOND = 1_000_000_000


async def _answer() -> int:
    return 7


async def _raise() -> int:
    raise ValueError("oops")


async def _call_itself_off() -> int:
    raise asyncio.CancelledError


async def _never() -> int:
    await asyncio.get_running_loop().create_future()
    return 7


def _not_even_a_coroutine() -> asyncio.Future[int]:
    raise ValueError("oops")


def test_an_answer_is_given_as_it_is() -> None:
    assert run_virtual(ask(_answer, SECOND)) == 7


@pytest.mark.parametrize(
    ("question", "cause"),
    [
        (_raise, "the connector raised ValueError('oops')"),
        (_not_even_a_coroutine, "the connector raised ValueError('oops')"),
        (_call_itself_off, "the connector called itself off"),
        (_never, "no answer in time"),
    ],
)
def test_whatever_goes_wrong_over_there_is_no_answer(question: object, cause: str) -> None:
    assert callable(question)

    assert run_virtual(ask(question, SECOND)) == Unavailable(cause)


@pytest.mark.parametrize("patience_ns", [0, -SECOND])
def test_without_patience_nobody_waits(patience_ns: int) -> None:
    assert run_virtual(ask(_never, patience_ns)) == Unavailable("no answer in time")


def test_patience_ends_on_time() -> None:
    async def main(clock: VirtualClock) -> int:
        await ask(_never, 3 * SECOND)
        return clock.now_ns()

    assert run_virtual(main) == 3 * SECOND


def test_a_caller_that_is_called_off_is_called_off() -> None:
    async def main() -> bool:
        task = asyncio.ensure_future(ask(_never, SECOND))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert run_virtual(main())
