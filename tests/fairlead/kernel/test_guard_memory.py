"""What risk remembers over a restart, and how a person has it forgotten."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fairlead.api import PostureLevel
from fairlead.kernel import ResetPeak, RiskMemory
from fairlead.model import Side
from fairlead.store import ControlAsked, Incident, RuleState
from fairlead.testing import MARKET
from tests.fairlead.kernel.control_world import Hand, steer
from tests.fairlead.kernel.engine_world import Watching, World, live, quoting


def states(world: World, rule: str) -> list[dict[str, Any]]:
    found = [one.state for one in world.trace.of(RuleState) if one.rule == rule]
    return [msgspec.json.decode(one) for one in found]


def remembering(memory: RiskMemory, falls: list[Decimal]) -> World:
    """Go on from what was stored, at the price at which that run ended."""

    async def act(world: World) -> None:
        world.container.memory.override(memory)
        await world.wait(0.5)
        world.show("89.90", "90.10")
        await world.wait(3)
        falls.append(world.engine.desk.ledger.nav.drawdown.now)
        world.engine.request_stop()

    return live(act)[0]


def first_states() -> dict[str, str]:
    async def act(world: World) -> None:
        await quoting(world)
        world.show("89.90", "90.10")
        await world.wait(2)
        world.engine.request_stop()

    world, _ = live(act)
    return {"account": world.trace.of(RuleState)[-1].state}


def test_the_accounts_peak_is_stored_and_taken_up() -> None:
    stored, falls = first_states(), list[Decimal]()

    world = remembering(RiskMemory(stored), falls)

    account = msgspec.json.decode(stored["account"])["account"]
    peak, now = Decimal(account["nav"]["peak"]), Decimal(account["nav"]["now"])
    assert falls == [(peak - now) / peak]
    assert falls[0] > 0
    assert Decimal(states(world, "account")[-1]["account"]["nav"]["peak"]) == peak


def test_a_note_lets_the_next_start_forget_the_peak() -> None:
    falls: list[Decimal] = []

    world = remembering(RiskMemory(first_states(), forget_peak=True), falls)

    asked = [(one.who, one.command) for one in world.trace.of(ControlAsked)]
    assert asked == [("a command before the start", "reset_peak")]
    assert falls == [0]


@pytest.mark.parametrize("forget_peak", [False, True], ids=["as it is", "asked to forget the peak"])
def test_what_cannot_be_read_of_the_account_is_an_incident_and_stays_until_a_person_has_looked(
    forget_peak: bool,
) -> None:
    world = remembering(RiskMemory({"account": "{"}, forget_peak=forget_peak), [])

    assert [one.name for one in world.trace.of(Incident)] == ["memory_unreadable"]
    assert world.engine.desk.gate.posture(MARKET).level is PostureLevel.REDUCING
    assert states(world, "account") == []


class Seen(msgspec.Struct, frozen=True):
    fills: int = 0


class Forgetful(Watching):
    """A rule with a memory that it cannot read."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Seen()

    def recall(self, text: str) -> None:
        raise ValueError(text)


def test_a_start_whose_rule_cannot_read_its_memory_only_reduces_until_it_is_lifted() -> None:
    resting: list[set[Side]] = []

    async def act(world: World) -> None:
        world.rule = Forgetful()
        world.container.memory.override(RiskMemory({"watching": "of another version"}))
        await world.wait(0.5)
        world.show()
        await world.wait(3)
        assert states(world, "watching") == []
        resting.append({one.intent.side for one in world.engine.desk.orders.live()})
        world.engine.desk.gate.lift("watching")
        await world.wait(3)
        resting.append({one.intent.side for one in world.engine.desk.orders.live()})
        world.engine.request_stop()

    world, _ = live(act)

    # What is held is the target: nothing brings it closer.
    assert resting == [set(), set(Side)]
    assert [one.detail for one in world.trace.of(Incident)] == [
        "watching: on its memory: ValueError('of another version')"
    ]
    assert states(world, "watching") == [{"fills": 0}]


def test_a_person_resets_the_peak_of_a_running_engine() -> None:
    peaks: list[Any] = []

    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        peaks.append(await hand.told(ResetPeak()))
        figures = hand.session.engine.desk.figures
        peaks.append((figures.peak, figures.equity))

    steer(script, seconds=40)

    told, (peak, equity) = peaks
    assert Decimal(told["peak"]) == equity
    assert peak is not None
    assert abs(peak - equity) < 1
