from itertools import product

import pytest

from fairlead.model import (
    CLOSED_STATES,
    TRANSITIONS,
    OrderState,
    OrderTrigger,
    Side,
    next_state,
)

S, T = OrderState, OrderTrigger
LATE_FILLS = {T.PARTIAL_FILL, T.FULL_FILL}

#: What may happen in each state, written a second time so that a slip in the table shows.
LEGAL = {
    S.PENDING_CREATE: "accepted rejected not_sent answer_lost partial_fill full_fill cancelled "
    "expired",
    S.OPEN: "partial_fill full_fill cancel_sent cancelled expired",
    S.PARTIALLY_FILLED: "partial_fill full_fill cancel_sent cancelled expired",
    S.PENDING_CANCEL: "partial_fill full_fill cancelled expired proven_open proven_partial "
    "answer_lost rejected never_landed",
    S.UNKNOWN: "accepted rejected partial_fill full_fill cancelled expired never_landed "
    "cancel_sent",
    S.CANCELLED: "partial_fill full_fill",
    S.EXPIRED: "partial_fill full_fill",
    S.FILLED: "",
    S.REJECTED: "",
}


@pytest.mark.parametrize(("state", "trigger"), list(product(OrderState, OrderTrigger)))
def test_a_step_is_legal_exactly_when_the_table_has_it(
    state: OrderState, trigger: OrderTrigger
) -> None:
    legal = trigger.value in LEGAL[state].split()

    assert (next_state(state, trigger) is not None) == legal
    assert ((state, trigger) in TRANSITIONS) == legal


@pytest.mark.parametrize("state", sorted(CLOSED_STATES))
def test_after_the_end_only_a_late_fill_may_come(state: OrderState) -> None:
    followers = {
        trigger: after for (before, trigger), after in TRANSITIONS.items() if before is state
    }

    assert set(followers) <= LATE_FILLS
    assert all(after in CLOSED_STATES for after in followers.values())


@pytest.mark.parametrize("state", [state for state in OrderState if not state.is_closed])
def test_every_living_order_can_fill_and_can_end(state: OrderState) -> None:
    assert next_state(state, T.FULL_FILL) is S.FILLED
    assert next_state(state, T.CANCELLED) is S.CANCELLED
    assert next_state(state, T.EXPIRED) is S.EXPIRED


def test_nothing_but_the_lost_answer_of_a_create_makes_an_order_unknown() -> None:
    into = {trigger for (_, trigger), after in TRANSITIONS.items() if after is S.UNKNOWN}

    assert into == {T.ANSWER_LOST}


def test_a_fill_never_revives_a_closed_order() -> None:
    assert next_state(S.CANCELLED, T.PARTIAL_FILL) is S.CANCELLED
    assert next_state(S.EXPIRED, T.PARTIAL_FILL) is S.EXPIRED


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[S.FILLED, T.CANCELLED] = S.CANCELLED  # type: ignore[index]  # that is the test


def test_an_order_that_nobody_has_proven_is_told_apart() -> None:
    assert [state for state in OrderState if state.is_unproven] == [S.PENDING_CREATE, S.UNKNOWN]


def test_a_side_knows_its_sign_and_its_opposite() -> None:
    assert [side.sign for side in (Side.BUY, Side.SELL)] == [1, -1]
    assert [side.opposite for side in (Side.BUY, Side.SELL)] == [Side.SELL, Side.BUY]
