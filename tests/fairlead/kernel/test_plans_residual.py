"""What a plan left open restrains its market until a person has looked, restarts or not."""

from decimal import Decimal

from fairlead.api import PostureLevel
from fairlead.kernel import ask_residuals_lifted, residuals_note
from fairlead.model import MarketId
from fairlead.store import ControlAsked, Incident, RuleState
from fairlead.testing import MARKET, MemoryDisk, VirtualProcess
from tests.fairlead.kernel.plans_world import PlanWorld, begun, work
from tests.fairlead.kernel.test_plans_left import LEG, PLAN, STARTED, bought, disk_of

GONE = MarketId("main", "XYZ/USDT")


def levels_of(disk: MemoryDisk, *, lifted: bool = False) -> tuple[PlanWorld, PostureLevel]:
    """Run once more; gives how the market is restrained then."""
    found: list[PostureLevel] = []
    process = VirtualProcess()
    if lifted:
        ask_residuals_lifted(process, "demo")

    async def act(world: PlanWorld) -> None:
        await begun(world)
        found.append(world.engine.desk.gate.posture(MARKET).level)

    world, result = work(act, disk=disk, mode="rehearse", for_s=3, process=process)
    assert result.proven
    return world, found[0]


def left_open() -> MemoryDisk:
    values = {name: getattr(STARTED, name) for name in STARTED.__struct_fields__}
    disk = disk_of(type(STARTED)(**(values | {"executor": "gone"})), *bought("3"))
    assert levels_of(disk)[1] is PostureLevel.REDUCING
    return disk


def test_what_was_left_open_restrains_its_market_after_every_restart() -> None:
    disk = left_open()

    first, second = levels_of(disk), levels_of(disk)

    assert (first[1], second[1]) == (PostureLevel.REDUCING, PostureLevel.REDUCING)
    # Nothing of it was new to those runs.
    assert second[0].trace.of(RuleState) == [
        one for one in second[0].trace.of(RuleState) if one.rule != "residuals"
    ]


def test_what_a_person_lifted_stays_lifted_after_a_restart() -> None:
    disk = left_open()

    async def act(world: PlanWorld) -> None:
        await begun(world)
        assert world.engine.desk.plans.ends.lift() == ("execution one",)

    work(act, disk=disk, mode="rehearse", for_s=3)

    assert levels_of(disk)[1] is PostureLevel.ACTIVE


def test_a_person_may_lift_it_while_nothing_runs() -> None:
    disk = left_open()

    world, level = levels_of(disk, lifted=True)

    assert level is PostureLevel.ACTIVE
    (asked,) = world.trace.of(ControlAsked)
    assert (asked.who, asked.command) == ("a command before the start", "reduce")
    assert world.process.read_marker(residuals_note("demo")) is None
    assert levels_of(disk)[1] is PostureLevel.ACTIVE


def test_what_cannot_be_read_of_it_restrains_every_market() -> None:
    disk = disk_of(RuleState("residuals", '[{"label":"one","market":7}]'))

    world, level = levels_of(disk)

    assert level is PostureLevel.REDUCING
    assert "memory_unreadable" in [one.name for one in world.trace.of(Incident)]
    assert levels_of(disk)[1] is PostureLevel.REDUCING


def test_what_is_open_on_a_market_that_is_traded_no_more_does_not_stop_the_start() -> None:
    values = {name: getattr(STARTED, name) for name in STARTED.__struct_fields__}
    values["plan"] = PLAN.model_dump_json().replace("ALT/", "XYZ/")
    values["legs"] = (type(LEG)(str(GONE), LEG.side, LEG.quantity, LEG.bound, None, None),)
    records = bought("3")
    for place, record in enumerate(records):
        if "market" in record.__struct_fields__:
            fields = {name: getattr(record, name) for name in record.__struct_fields__}
            records[place] = type(record)(**(fields | {"market": str(GONE)}))

    world, level = levels_of(disk_of(type(STARTED)(**values), *records))

    assert level is PostureLevel.ACTIVE
    assert world.ended.result.residual == {str(GONE): Decimal(3)}
