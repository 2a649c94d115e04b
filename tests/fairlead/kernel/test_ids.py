from hypothesis import given
from hypothesis import strategies as st

from fairlead.kernel import SeededIds, SystemIds


@given(st.integers(), st.text(max_size=10))
def test_one_seed_gives_one_generator_for_one_purpose(seed: int, purpose: str) -> None:
    one, two = SeededIds(seed), SeededIds(seed)

    first = one.random(purpose)
    assert [first.random() for _ in range(3)] == [
        generator.random() for generator in [two.random(purpose)] for _ in range(3)
    ]
    assert one.instance_tag() == two.instance_tag()


@given(st.integers(), st.integers(), st.text(max_size=10), st.text(max_size=10))
def test_other_seeds_and_other_purposes_give_other_randomness(
    seed: int, other: int, purpose: str, another: str
) -> None:
    drawn = SeededIds(seed).random(purpose).getrandbits(128)

    assert (SeededIds(seed).random(another).getrandbits(128) == drawn) == (purpose == another)
    assert (SeededIds(other).random(purpose).getrandbits(128) == drawn) == (seed == other)


def test_tags_fit_thirty_bits_and_the_systems_are_all_different() -> None:
    system = SystemIds()
    tags = [system.instance_tag() for _ in range(200)]

    assert all(0 <= tag < 2**30 for tag in [*tags, SeededIds(1).instance_tag()])
    assert len(set(tags)) > 190
    assert max(tags) > 2**29


def test_the_systems_generators_never_repeat() -> None:
    system = SystemIds()

    assert system.random("jitter").getrandbits(128) != system.random("jitter").getrandbits(128)


def test_a_seed_means_the_same_on_every_machine() -> None:
    assert SeededIds(7).instance_tag() == 489_814_695
    assert SeededIds(7).random("market").randrange(10**9) == 801_302_264
