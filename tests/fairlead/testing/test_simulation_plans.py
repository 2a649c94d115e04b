"""Seeds with plans: every kind is worked, and the limits that judges hold to are the configured."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import pytest

from fairlead.api import Record
from fairlead.store import ExecutionEnded
from fairlead.testing.simulation import Scenario, SeedRun, load_scenarios, run_seed
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle_limit import Limits
from fairlead.testing.simulation.oracle_plan import PlanOracle

QUARTER = 900_000_000_000


@pytest.fixture(scope="module")
def planned() -> Sequence[Scenario]:
    return [scenario for scenario in load_scenarios() if scenario.works_plans]


@pytest.mark.unmeasured
def test_plans_of_every_kind_come_to_their_ends(
    planned: Sequence[Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: Counter[str] = Counter()
    right = PlanOracle.recorded

    def recorded(self: PlanOracle, life: Life, seq: int, record: Record) -> None:
        if isinstance(record, ExecutionEnded):
            kinds[record.executor] += 1
        right(self, life, seq, record)

    monkeypatch.setattr(PlanOracle, "recorded", recorded)

    result = run_seed(planned[0], SeedRun(4, QUARTER, ()))

    assert result.violations == ()
    assert set(kinds) == {"tiered", "twap", "position", "atomic", "xemm"}
    assert result.plans == sum(kinds.values()) > 20


def test_limits_are_read_from_the_configuration(planned: Sequence[Scenario]) -> None:
    found = [Limits.of(scenario.settings) for scenario in planned]

    assert [limits.order for limits in found] == [1_000, 400, 1_000, 1_000]
    assert found[1].count == 5
    assert found[2].position == 900
    assert found[2].maker == Decimal("0.0025")
    assert found[2].taker == Decimal("0.005")


def test_only_venues_that_are_quoted_must_have_orders(planned: Sequence[Scenario]) -> None:
    assert [scenario.quoted() for scenario in planned] == [("main",)] * 4
