"""Shared by all tests: the decimal context, the recorded data, and how hard hypothesis tries."""

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from fairlead.model.numbers import install_context

ROOT = Path(__file__).resolve().parents[1]
# What may be tidied up after a test that took too long has so many seconds.
_TIDYING_S = 10.0
DEFAULT_DATA = ROOT.parent / "shared" / "data"

# The same examples on every machine; a slow machine is no finding.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("FAIRLEAD_HYPOTHESIS", "ci"))


@pytest.fixture(autouse=True)
def _money_context() -> None:
    install_context()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of recorded market data; ``FAIRLEAD_DATA`` names another one."""
    path = Path(os.environ.get("FAIRLEAD_DATA") or DEFAULT_DATA)
    if path.is_dir():
        return path
    message = f"no recorded market data in {path}; set FAIRLEAD_DATA to the folder that holds it"
    if os.environ.get("FAIRLEAD_REQUIRE_DATA") == "1":
        pytest.fail(message)
    pytest.skip(reason=message)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads the recordings, so that ``-m 'not data'`` leaves it out; put processes first.

    They mostly wait, and others may work meanwhile.
    """
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("data")
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Take no coverage of a test that says so: that makes it three times as fast.

    pytest-cov has a mark for that, which does nothing in the workers of pytest-xdist.
    """
    if item.get_closest_marker("unmeasured") is None:
        return (yield)
    tracing = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracing)


class OutOfTime(SystemExit):
    """A test has taken too long; ends it in whatever task it strikes.

    A task keeps any other failure to itself. The test would go on with a part of its engine or
    its venue dead in the middle of a step, and fail much later for reasons that nobody finds.
    """


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Generator[None, object, object]:
    """Let the time limit of a test end the test, not only one of the tasks that it runs."""
    armed = yield
    fail = signal.getsignal(signal.SIGALRM)
    if callable(fail):

        def strike(number: int, frame: FrameType | None) -> None:
            # Once more, should the tidying up hang that follows: a task was cut in two.
            signal.setitimer(signal.ITIMER_REAL, _TIDYING_S)
            try:
                fail(number, frame)
            except pytest.fail.Exception as failure:
                raise OutOfTime(str(failure)) from None

        signal.signal(signal.SIGALRM, strike)
    return armed
