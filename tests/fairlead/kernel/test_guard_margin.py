"""How much venues that trade on margin have bound."""

from decimal import Decimal

import pytest

from fairlead.api import MarginAmounts, PositionMargin
from fairlead.model import Unavailable
from fairlead.testing import MARKET
from tests.fairlead.kernel.engine_world import World, live, quoting


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        ([MarginAmounts("USDT", Decimal(40), Decimal(20))], [(Decimal(40), "")]),
        ([Unavailable("busy")], [(None, "main")]),
        ([MarginAmounts("GOLD", Decimal(40), Decimal(20))], [(None, "main")]),
    ],
    ids=["told", "unavailable", "in an asset that nobody can value"],
)
def test_venues_that_trade_on_margin_are_asked_how_much_is_bound(
    answers: list[MarginAmounts | Unavailable], seen: list[tuple[Decimal | None, str]]
) -> None:
    found: list[tuple[Decimal | None, str]] = []

    async def margin() -> MarginAmounts | Unavailable:
        return answers[-1]

    async def act(world: World) -> None:
        setattr(world.venue, "margin", margin)  # noqa: B010 - makes it one that trades on margin
        await quoting(world)
        account = world.engine.desk.view.account
        amount = None if account.margin is None else account.margin.initial
        found.append((amount, account.margin_missing))
        world.engine.request_stop()

    live(act)

    assert found == seen


def test_an_answer_about_margin_that_is_too_old_is_none() -> None:
    missing: list[str] = []
    answers: list[MarginAmounts | Unavailable] = [
        MarginAmounts(
            "ALT", Decimal(1), Decimal(1), (PositionMargin(MARKET, Decimal(1), Decimal(1)),)
        )
    ]

    async def margin() -> MarginAmounts | Unavailable:
        return answers[-1]

    async def act(world: World) -> None:
        setattr(world.venue, "margin", margin)  # noqa: B010 - makes it one that trades on margin
        await quoting(world)
        told = world.engine.desk.view.account.margin
        assert told is not None
        assert (told.initial, told.positions[0].initial) == (Decimal(100), Decimal(100))
        answers.append(Unavailable("busy"))
        for seconds in (8, 10):
            await world.wait(seconds)
            missing.append(world.engine.desk.view.account.margin_missing)
        world.engine.request_stop()

    live(act)

    assert missing == ["", "main"]


def test_without_margin_nothing_is_missing() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        account = world.engine.desk.view.account
        assert (account.margin, account.margin_missing) == (None, "")
        world.engine.request_stop()

    live(act)
