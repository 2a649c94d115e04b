"""What tests of real processes share: one venue of a module's own, and rehearsals at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.rehearsal import Rehearsal, ServedVenue, served


@pytest.fixture(scope="module")
def served_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedVenue]:
    with served(tmp_path_factory.mktemp("venue")) as one:
        yield one


@pytest.fixture
def venue(served_venue: ServedVenue) -> ServedVenue:
    served_venue.reset()
    return served_venue


@pytest.fixture
def rehearsal(venue: ServedVenue, tmp_path: Path) -> Iterator[Rehearsal]:
    one = Rehearsal(tmp_path, venue)
    yield one
    one.end()
