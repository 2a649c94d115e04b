from decimal import Decimal

import msgspec
import pytest

from fairlead.ledger import AccountLedger, AccountMemory, Nav, StrategyTerms
from fairlead.model import ConstantStep, Instrument, MarketId

DAY = 86_400_000_000_000
MARKET = MarketId("main", "ALT/USDT")


def account(usdt: str, *, mid: str = "2", alt: str = "0") -> AccountLedger:
    rules = Instrument(MARKET, "ALT", "USDT", ConstantStep(Decimal("0.01")), lot=Decimal("0.1"))
    ledger = AccountLedger("USDT", [StrategyTerms("alt", rules)])
    ledger.open("main", {"USDT": Decimal(usdt), "ALT": Decimal(alt)})
    ledger.on_mark(MARKET, Decimal(mid), 0)
    return ledger


def kept(ledger: AccountLedger, *, settled: bool = True) -> AccountMemory:
    memory = ledger.memory(settled=settled)
    assert memory is not None
    return msgspec.json.decode(msgspec.json.encode(memory), type=AccountMemory)


def resumed(memory: AccountMemory, usdt: str, at_ns: int = 1) -> AccountLedger:
    ledger = account(usdt)
    ledger.resume(memory)
    ledger.sample(at_ns)
    return ledger


def fallen() -> AccountLedger:
    """An account that has lost 100 of 1,000 USDT."""
    ledger = account("800", alt="100")
    ledger.sample(0)
    ledger.on_mark(MARKET, Decimal(1), 0)
    ledger.sample(0)
    return ledger


def test_a_peak_outlives_a_restart() -> None:
    before = fallen()

    after = resumed(kept(before, settled=False), "900")

    assert before.nav.peak_equity == after.nav.peak_equity == 1000
    assert after.nav.drawdown.now == Decimal("0.1")
    assert after.nav.day_start_equity == 1000


def test_what_was_paid_in_or_out_between_two_runs_is_no_loss() -> None:
    ledger = account("1000")
    ledger.sample(0)

    paid_out = resumed(kept(ledger), "400")
    killed = resumed(kept(ledger, settled=False), "400")

    assert paid_out.nav.drawdown.now == 0
    assert paid_out.nav.peak_equity == 400
    assert killed.nav.drawdown.now == Decimal("0.6")


def test_the_day_goes_on_or_begins_anew() -> None:
    memory = kept(fallen(), settled=False)

    same = resumed(memory, "900", DAY - 1)
    next_day = resumed(memory, "900", DAY)

    assert same.nav.day == 0
    assert same.nav.day_start_equity == 1000
    assert next_day.nav.day == 1
    assert next_day.nav.day_start_equity == 900


def test_without_the_targets_moves_a_run_goes_on_where_it_was() -> None:
    ledger = account("1000")
    ledger.sample(0)

    after = resumed(kept(ledger, settled=False), "400")

    assert after.trading_nav.drawdown.now == 0
    assert after.trading_nav.peak_equity == 400


def test_trading_equity_leaves_the_price_moves_of_the_target_out() -> None:
    ledger = account("800", alt="100")
    ledger.on_target("alt", Decimal(100))
    ledger.sample(0)
    ledger.on_mark(MARKET, Decimal(1), 0)
    ledger.sample(0)

    assert ledger.nav.drawdown.now == Decimal("0.1")
    assert ledger.trading_nav.drawdown.now == 0
    assert ledger.trading_nav.equity == 1000


def test_a_reset_puts_the_peak_where_the_account_stands() -> None:
    ledger = fallen()
    forgotten = resumed(kept(fallen(), settled=False).forgetting(), "900")

    ledger.nav.reset_peak()

    assert ledger.nav.peak_equity == forgotten.nav.peak_equity == 900
    assert ledger.nav.drawdown.now == forgotten.nav.drawdown.now == 0


def test_nothing_is_kept_before_the_first_sample() -> None:
    assert account("1").memory(settled=True) is None
    assert Nav().state is None


def test_what_was_never_taken_up_is_kept_as_it_was() -> None:
    memory = kept(fallen())
    ledger = account("1000", alt="5", mid="2")
    ledger.resume(memory)

    assert ledger.memory(settled=False) == memory


@pytest.mark.parametrize("equity", [Decimal(0), None])
def test_units_without_a_value_stay_as_they_were(equity: Decimal | None) -> None:
    state = kept(fallen()).nav
    nav = Nav()

    nav.restore(state, equity=equity)

    assert nav.state == state
