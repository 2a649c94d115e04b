import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import CLIENT_ID_LENGTH, ClientId

IDS = st.builds(
    ClientId, st.integers(0, 2**30 - 1), st.integers(0, 2**20 - 1), st.integers(0, 2**40 - 1)
)


@given(IDS)
def test_an_id_is_read_as_it_was_written(one: ClientId) -> None:
    text = str(one)

    assert ClientId.parse(text) == one
    assert len(text) == CLIENT_ID_LENGTH
    assert text.isalnum()
    assert text == text.lower()


@given(IDS, IDS)
def test_different_ids_have_different_texts(one: ClientId, other: ClientId) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(IDS)
def test_the_counter_is_the_orders_name_within_its_run(one: ClientId) -> None:
    assert one.short == str(one)[-8:]
    assert one.short == str(ClientId(0, 0, one.counter))[-8:]


@given(IDS, IDS)
def test_ids_of_one_instance_rise_with_epoch_and_counter(one: ClientId, other: ClientId) -> None:
    assert (one < other) == (
        (one.tag, one.epoch, one.counter) < (other.tag, other.epoch, other.counter)
    )


@given(st.text(max_size=20))
def test_a_text_is_an_id_only_when_it_would_be_written_so(text: str) -> None:
    read = ClientId.parse(text)

    assert read is None or str(read) == text


@pytest.mark.parametrize(
    "text",
    ["", "a" * 17, "a" * 19, "A" * 18, "a" * 17 + "1", "x-123456789012345678", "a" * 17 + "é"],
)
def test_what_others_write_is_no_id_of_ours(text: str) -> None:
    assert ClientId.parse(text) is None


@pytest.mark.parametrize(
    ("tag", "epoch", "counter", "name"),
    [(2**30, 0, 0, "tag"), (0, 2**20, 0, "epoch"), (0, 0, 2**40, "counter"), (-1, 0, 0, "tag")],
)
def test_a_number_that_does_not_fit_is_refused(
    tag: int, epoch: int, counter: int, name: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} .* does not fit"):
        ClientId(tag, epoch, counter)
