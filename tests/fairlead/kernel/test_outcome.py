"""How a run ended decides the exit code; what may still stand at a venue comes first."""

import pytest

from fairlead.errors import ExitCode, FeedError, StoreError
from fairlead.kernel import RunResult, StopReason


def result(
    reason: StopReason, *, proven: bool = True, failure: BaseException | None = None
) -> RunResult:
    return RunResult(
        reason=reason,
        detail="",
        started_ns=0,
        ended_ns=1,
        proven=proven,
        left=() if proven else ("main: abc",),
        failure=failure,
    )


@pytest.mark.parametrize(
    ("reason", "failure", "code"),
    [
        (StopReason.SOURCE_ENDED, None, ExitCode.CLEAN),
        (StopReason.DURATION, None, ExitCode.CLEAN),
        (StopReason.ASKED, None, ExitCode.CLEAN),
        (StopReason.HALTED, None, ExitCode.HALTED),
        (StopReason.STORE, None, ExitCode.HALTED),
        (StopReason.STORE, StoreError("a", "b"), ExitCode.HALTED),
        (StopReason.VENUE, None, ExitCode.UNAVAILABLE),
        (StopReason.FAILED, None, ExitCode.BUG),
        (StopReason.FAILED, ValueError("a"), ExitCode.BUG),
        (StopReason.FAILED, FeedError("a", "b"), ExitCode.CHECK_FAILED),
        (StopReason.FAILED, FeedError("a", "b", usable=False), ExitCode.USAGE),
        # What failed beside a run that ended as asked: its trace, or whoever looked on.
        (StopReason.DURATION, StoreError("a", "b"), ExitCode.HALTED),
        (StopReason.DURATION, ValueError("a"), ExitCode.BUG),
    ],
)
def test_each_end_has_its_code(
    reason: StopReason, failure: BaseException | None, code: ExitCode
) -> None:
    assert result(reason, failure=failure).exit_code is code


@pytest.mark.parametrize("reason", StopReason)
def test_orders_not_proven_gone_come_before_everything_else(reason: StopReason) -> None:
    assert result(reason, proven=False).exit_code is ExitCode.NOT_PROVEN_GONE
    failed = result(reason, proven=False, failure=ValueError("a"))
    assert failed.exit_code is ExitCode.NOT_PROVEN_GONE
