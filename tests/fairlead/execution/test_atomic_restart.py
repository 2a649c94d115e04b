"""A stop, a restart or an answer that never comes, in the middle of a plan of several legs."""

from decimal import Decimal

import msgspec

from fairlead.api.plans.atomic import AtomicOrder, AtomicPolicy
from fairlead.model import OrderState
from tests.fairlead.execution.atomic_kit import A, B, kit, last, on, plan


def test_a_stop_cancels_and_mends() -> None:
    made = kit(plan(order=AtomicOrder.LIMIT))
    made.start()
    made.fill(on(made, A))
    made.ack(on(made, B))

    made.stop()

    assert on(made, B).state is OrderState.PENDING_CANCEL
    made.run(3)
    assert made.end == "done"
    assert made.notes["cause"] == "stopped"


def test_a_restart_before_anything_left_ends_it() -> None:
    made = kit()
    made.start()
    assert made.admitted is not None
    made.live.clear()
    made.durable = [msgspec.json.encode(made.admitted.state)]

    made.restart()

    assert made.end == "restarted"
    assert len(made.places) == 2
    assert made.residual == {}


def test_a_restart_mends_what_was_filled_meanwhile() -> None:
    made = kit()
    made.start()
    made.ack(on(made, A))

    made.restart(fills={on(made, A).client_id: Decimal(8)})

    assert last(made).quantity == 8
    assert last(made).slot.market == B
    made.run(3)
    assert made.notes["cause"] == "restarted"
    assert (made.view.exposure(A), made.view.exposure(B)) == (Decimal(8), Decimal(-8))


def test_a_restart_gives_the_policy_its_time_again() -> None:
    made = kit(plan(policy=AtomicPolicy.UNWIND))
    made.start()
    made.fill(on(made, A))
    made.quote(A, "90", "90.1")
    made.cancelled(on(made, B))
    made.now_ns += 3_600_000_000_000

    made.restart()

    assert made.end == ""
    made.quote(A, "100", "100.1")
    made.run(3)
    assert made.end == "unwound"


def test_a_mending_order_that_never_answers_is_cancelled() -> None:
    made = kit()
    made.start()
    made.fill(on(made, A))
    made.cancelled(on(made, B))
    made.ack(on(made, B))

    made.advance(6)

    assert on(made, B).state is OrderState.PENDING_CANCEL
