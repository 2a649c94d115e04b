"""What a whole engine does when a venue limits it, bans it or does not answer."""

from fairlead.api import PostureLevel
from fairlead.kernel import control_view
from fairlead.store import OrderRecorded
from tests.fairlead.kernel.venue_world import SECOND, VenueWorld, in_a_world

MINUTE_S = 60


def test_a_ban_halts_the_venues_markets_until_it_is_over_and_trading_goes_on_by_itself() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.ban(90 * SECOND)
        begun = len(world.of(OrderRecorded))
        await world.seconds(60)
        market = next(iter(world.desk.markets))
        posture = world.desk.gate.posture(market)
        assert (posture.level, posture.rule) == (PostureLevel.HALTED, "banned:main")
        assert world.desk.halted is None
        asked = world.transport.cancels
        await world.seconds(20)
        assert world.transport.cancels == asked
        assert len(world.of(OrderRecorded)) - begun < 20
        await world.seconds(60)
        assert len(world.live()) == 4
        assert world.desk.gate.posture(market).level is PostureLevel.ACTIVE
        await world.end_well()

    world = in_a_world(story)

    assert len(world.incidents("venue_banned")) == 1
    assert "asked too often" in world.incidents("venue_banned")[0]
    assert "banned:main" in world.rules()


def test_a_venue_that_answers_nothing_gets_no_new_risk_until_a_probe_has_come_through() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.knobs.error_before = 1.0
        await world.until(lambda: bool(world.incidents("venue_paused")), 5 * MINUTE_S)
        before = len(world.of(OrderRecorded))
        await world.seconds(25)
        assert len(world.of(OrderRecorded)) == before
        world.venue.knobs.error_before = 0.0
        await world.until(lambda: len(world.live()) == 4, 2 * MINUTE_S)
        await world.end_well()

    world = in_a_world(story)

    assert world.incidents("venue_paused")[0].startswith("main: ")


def test_an_engine_within_a_small_budget_is_never_turned_away_and_says_what_it_used() -> None:
    async def story(world: VenueWorld) -> None:
        await world.seconds(2 * MINUTE_S)
        seen = control_view.Seen(
            world.desk, world.setup, world.ticker, "running", world.clock.now_ns(), 0
        )
        (shown,) = control_view.status(seen)["venues"]
        assert shown["requests"] > 10
        assert shown["items"] > shown["requests"]
        assert shown["saved"] == shown["items"] - shown["requests"]
        ((limit,),) = (shown["limits"],)
        assert limit["limit"] == "weight"
        assert 0 <= limit["used"] <= limit["capacity"] == 30
        assert (shown["banned_ns"], shown["paused"], shown["held_cancels"]) == (0, [], 0)
        await world.end_well()

    world = in_a_world(story, "risk.warm_up=1 s", "venues.main.budget=30", budget=30)

    assert world.venue.budget is not None
    assert world.venue.budget.over == 0
    assert world.venue.budget.peak <= 30


def test_half_of_the_budget_is_half_of_it() -> None:
    async def story(world: VenueWorld) -> None:
        await world.seconds(2 * MINUTE_S)
        await world.end_well()

    world = in_a_world(
        story, "risk.warm_up=1 s", "venues.main.budget=60", "venues.main.share=50%", budget=60
    )

    assert world.venue.budget is not None
    assert world.venue.budget.peak <= 30
