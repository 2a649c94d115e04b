"""Who plays on a desk: markets that a venue turns out not to have."""

import pytest

from fairlead.errors import ExitCode, UsageError
from fairlead.kernel import RunResult, VirtualClock
from fairlead.model import MarketId
from fairlead.testing import MARKET, instrument, run_virtual
from tests.fairlead.kernel.engine_world import START_NS, World


@pytest.mark.parametrize(
    ("known", "hint"),
    [("ALT/USDC", "; did you mean: ALT/USDC"), ("BIG/EUR", "")],
    ids=["near", "none"],
)
def test_a_market_that_its_venue_does_not_have_is_said_in_one_line(known: str, hint: str) -> None:
    async def main(clock: VirtualClock) -> RunResult:
        world = World(clock)
        world.venue.instruments = {known: instrument(MarketId("main", known))}
        return await world.engine.run(for_ns=1)

    result = run_virtual(main, start_ns=START_NS)

    assert isinstance(result.failure, UsageError)
    said = f"strategies.alt.market '{MARKET}': its venue has no market '{MARKET.symbol}'{hint}"
    assert str(result.failure) == said
    assert result.exit_code is ExitCode.USAGE
