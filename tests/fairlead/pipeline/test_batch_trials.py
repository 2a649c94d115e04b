import os
from collections import Counter

from fairlead.testing import VirtualClock, run_virtual
from tests.fairlead.pipeline.batch_trials import FATES, ORDERS, Trial

#: How many seeds; the long run is ``FAIRLEAD_BATCH_TRIALS=10000``.
TRIALS = int(os.environ.get("FAIRLEAD_BATCH_TRIALS", "300"))


def test_no_order_is_doubled_and_none_lost_whatever_becomes_of_its_batch() -> None:
    fates: Counter[str] = Counter()
    splits = 0

    async def main(clock: VirtualClock) -> dict[int, list[str]]:
        nonlocal splits
        wrong = {}
        for seed in range(TRIALS):
            trial = Trial(clock, seed)
            found = await trial.run()
            if found:
                wrong[seed] = found
            fates.update(trial.venue.fates)
            splits += trial.gateway.counts.split
            assert trial.venue.requests < ORDERS * 2
        return wrong

    assert run_virtual(main) == {}
    assert set(fates) == set(FATES)
    assert splits > TRIALS // 10
