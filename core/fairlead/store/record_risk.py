"""Write down what risk rules did: when they fired, for how long, and what they must remember."""

from __future__ import annotations

from typing import ClassVar

from fairlead.api import Record

__all__ = ["RISK_RECORDS", "RuleEnded", "RuleFired", "RuleState"]


class RuleFired(Record, frozen=True, gc=False):
    """A risk rule began to restrain trading, or to warn; ``market`` "" = the whole account.

    ``effect`` says how: a posture, the sides it pauses, a spread factor, or "warning".
    """

    kind: ClassVar[str] = "rule_fired"
    stored: ClassVar[bool] = True

    rule: str
    market: str
    effect: str
    reason: str


class RuleEnded(Record, frozen=True, gc=False):
    """What a risk rule began is over; it lasted ``lasted_ns`` nanoseconds."""

    kind: ClassVar[str] = "rule_ended"
    stored: ClassVar[bool] = True

    rule: str
    market: str
    effect: str
    lasted_ns: int


class RuleState(Record, frozen=True, gc=False):
    """What a rule must know after a restart, as JSON; the last one of a rule counts.

    The account's own (peak, day, balances) is kept under the name "account", and what plans left
    open that no person has lifted under "residuals".
    """

    kind: ClassVar[str] = "rule_state"
    stored: ClassVar[bool] = True

    rule: str
    state: str


#: The record classes of this module.
RISK_RECORDS: tuple[type[Record], ...] = (RuleEnded, RuleFired, RuleState)
