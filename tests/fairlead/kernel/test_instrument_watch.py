"""What an engine makes of a venue that changes its trading rules while it trades."""

from dataclasses import replace
from decimal import Decimal

from fairlead.api import PostureLevel
from fairlead.model import ConstantStep, Fees
from fairlead.store import PostureChanged
from fairlead.testing.simulated import Origin
from tests.fairlead.kernel.venue_world import VenueWorld, in_a_world

HOUR_S = 3600


def test_after_a_refusal_the_rules_are_read_again_and_obeyed() -> None:
    lot, tick = Decimal(50), Decimal("0.0050")

    async def story(world: VenueWorld) -> None:
        coarser = replace(world.venue.instrument, lot=lot, grid=ConstantStep(tick))
        world.venue.account.take_rules(coarser)
        await world.until(lambda: bool(world.incidents("rules_changed")), 120)

        def obeys() -> bool:
            orders = world.venue.truth.open_orders(Origin.ENGINE)
            return all(one.quantity % lot == 0 and one.price % tick == 0 for one in orders)

        await world.until(lambda: len(world.live()) == 4 and obeys(), 120)
        await world.end_well()

    world = in_a_world(story)

    told = world.incidents("rules_changed")
    assert len(told) == 1
    assert "lot 1 -> 50" in told[0]


def test_what_no_refusal_shows_is_read_within_the_hour() -> None:
    fees = Fees(Decimal("0.0005"), Decimal("0.0009"))

    async def story(world: VenueWorld) -> None:
        world.venue.account.take_rules(replace(world.venue.instrument, fees=fees))
        await world.seconds(HOUR_S + 10)
        (tracker,) = world.desk.markets.values()
        assert tracker.instrument.fees == fees
        await world.end_well()

    in_a_world(story)


def test_a_market_that_is_gone_is_left_alone_until_it_is_listed_again() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.account.take_rules(world.venue.instrument, listed=False)
        await world.until(lambda: bool(world.incidents("market_gone")), 120)
        asked = len(world.transport.creates)
        await world.seconds(180)
        assert len(world.transport.creates) == asked
        world.venue.account.take_rules(world.venue.instrument)
        await world.until(lambda: len(world.live()) == 4, 180)
        await world.end_well()

    world = in_a_world(story)

    assert len(world.incidents("market_gone")) == 1
    levels = [one.level for one in world.of(PostureChanged) if one.rule.startswith("instrument:")]
    assert PostureLevel.CANCEL_ONLY.name in levels


def test_another_contract_of_the_same_name_is_not_traded() -> None:
    async def story(world: VenueWorld) -> None:
        other = replace(world.venue.instrument, quote="USDC", lot=Decimal(50))
        world.venue.account.take_rules(other)
        await world.until(lambda: bool(world.incidents("market_gone")), 120)
        await world.until(lambda: not world.live(), 30)
        await world.end()

    world = in_a_world(story)

    (told,) = world.incidents("market_gone")
    assert "quote USDT -> USDC" in told
    assert world.incidents("rules_changed") == []
