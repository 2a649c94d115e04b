"""The time limit of a test ends the test, not only the task that it happens to strike."""

import asyncio
import signal

import pytest

from fairlead.testing import run_virtual


def test_a_time_limit_is_not_kept_by_the_task_that_it_strikes() -> None:
    async def slow() -> None:
        signal.raise_signal(signal.SIGALRM)

    async def main() -> str:
        # As engines and simulated venues do with what they run beside themselves.
        await asyncio.gather(asyncio.create_task(slow()), return_exceptions=True)
        return "as if nothing had happened"

    with pytest.raises(SystemExit, match="Timeout"):
        run_virtual(main())
