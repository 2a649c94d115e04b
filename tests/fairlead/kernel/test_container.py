from pathlib import Path

import pytest
from dependency_injector import providers

from fairlead.cli.config import configured
from fairlead.kernel import (
    Engine,
    EngineContainer,
    Session,
    SessionOptions,
    SystemTransport,
    VirtualClock,
    settings_seed,
)
from fairlead.model import ClientId
from fairlead.store import Durability, InlineWriter, TraceHash, memory_database
from fairlead.testing import VirtualProcess, VirtualTransport, run_virtual
from tests.conftest import ROOT
from tests.fairlead.kernel.engine_world import START_NS, World


def session(*sets: str) -> Session:
    found = configured(ROOT / "plugins.toml", sets, env={})
    return Session(
        found.settings,
        found.plugins,
        found.offers,
        store=InlineWriter(memory_database("memory", Durability.NORMAL)),
        traces=lambda name: TraceHash(),
        process=VirtualProcess(),
        options=SessionOptions(for_ns=10_000_000_000),
    )


def build_all(container: EngineContainer) -> list[object]:
    return [provider() for provider in container.traverse(types=[providers.Singleton])]


def test_every_provider_of_a_real_configuration_builds() -> None:
    one = session()

    built = build_all(one.container)

    assert len(built) > 10
    assert one.engine in built
    one.run()


def test_every_provider_of_a_scripted_engine_builds_and_builds_once() -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock, venues=("main", "hedge"))
        built = build_all(world.container)
        assert build_all(world.container) == built
        assert isinstance(world.container.engine(), Engine)
        assert world.container.connectors() == world.venues
        assert world.container.rules() == [world.rule]
        assert [plan.name for plan in world.container.strategies()] == ["alt"]
        world.store.close()

    run_virtual(main, start_ns=START_NS)


def test_a_desk_is_built_when_the_venues_are_there_with_calls_of_its_own() -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        failures: list[str] = []
        desk = world.container.desk(failed=lambda error, where: failures.append(where))
        another = world.container.desk(failed=lambda error, where: None)
        assert desk is not another
        assert (
            list(desk.markets) == list(another.markets) == [world.settings.strategies["alt"].market]
        )
        world.store.close()

    run_virtual(main, start_ns=START_NS)


def test_a_test_overrides_a_provider_instead_of_patching() -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        assert type(world.container.transport()) is SystemTransport
        virtual = VirtualTransport(clock)
        with world.container.transport.override(providers.Object(virtual)):
            assert id(world.container.transport()) == id(virtual)
        ticker = world.container.ticker()
        world.container.ticker.override(providers.Object(ticker))
        assert world.container.parts().ticker is ticker
        world.container.identity()
        world.store.close()

    run_virtual(main, start_ns=START_NS)


def test_ids_are_of_the_run_and_count() -> None:
    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        identity, new_id = world.container.identity(), world.container.new_id()
        assert [ClientId.parse(new_id()) for _ in range(3)] == [
            ClientId(identity.tag, identity.epoch, number) for number in (1, 2, 3)
        ]
        assert world.container.run_name() == f"demo-{identity.epoch}"
        setup = world.container.setup()
        assert (setup.tag, setup.epoch, setup.clean_before) == (identity.tag, 1, True)
        world.store.close()

    run_virtual(main, start_ns=START_NS)


def test_the_seed_of_a_run_is_that_of_its_first_venue_that_has_one() -> None:
    found = configured(ROOT / "plugins.toml", ("venues.main.seed=99",), env={})

    assert settings_seed(found.settings) == 99


def test_without_a_seed_there_is_none() -> None:
    async def main(clock: VirtualClock) -> int | None:
        world = World(clock)
        world.container.identity()
        world.store.close()
        return settings_seed(world.settings)

    assert run_virtual(main) is None


@pytest.mark.parametrize("source", ["nowhere:x"])
def test_a_source_that_nobody_offers_names_those_that_there_are(source: str) -> None:
    with pytest.raises(Exception, match="synthetic"):
        session(f'venues.main.source="{source}"')


def test_relative_paths_are_relative_to_the_configuration() -> None:
    found = configured(ROOT / "plugins.toml", (), env={})

    assert Path(found.settings.folder).resolve() == ROOT
