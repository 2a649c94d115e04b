import pytest

from fairlead.errors import ExitCode
from fairlead.kernel import Exits, Halt, SessionOptions, write_halt
from fairlead.testing import VirtualProcess
from tests.fairlead.kernel.test_session import session

EXITS = SessionOptions(exits_only=True)


def test_every_position_goes_where_it_belongs_and_the_session_ends() -> None:
    exits = Exits("2%", "zero")
    one = session("risk.warm_up=1 s", options=EXITS)

    result = one.run(exits).result

    assert result.exit_code is ExitCode.CLEAN
    (done,) = exits.done
    assert (done["market"], done["side"], done["to"]) == ("main:ALT/USDT", "SELL", "zero")
    assert exits.complete is not done["open"]


def test_what_is_refused_is_told_and_not_complete() -> None:
    exits = Exits("0 bps", "target")

    result = session(options=EXITS).run(exits).result

    assert result.exit_code is ExitCode.CLEAN
    assert exits.done == []
    assert exits.refused[0].startswith("main:ALT/USDT: max_slippage '0 bps'")
    assert not exits.complete


@pytest.mark.parametrize("exits_only", [True, False])
def test_a_halt_ends_every_run_but_that_for_exits(exits_only: bool) -> None:
    process = VirtualProcess()
    write_halt(process, "demo", Halt("panic", "test", 1))
    one = session(options=SessionOptions(exits_only=exits_only, for_ns=10**9), process=process)

    result = one.run().result

    assert result.exit_code is (ExitCode.CLEAN if exits_only else ExitCode.HALTED)
