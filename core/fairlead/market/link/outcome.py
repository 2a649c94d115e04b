"""Read what a venue's answer proves about a request that may have changed something.

Three things can be proven: it was taken, it was refused without effect, or it was not looked at
at all. Whatever proves none of them is UNKNOWN, and so is every answer that no rule names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairlead.api import Response, TransportError
from fairlead.model import NotSent, Outcome, RejectClass, Rejected, Unknown

__all__ = ["Meaning", "OutcomeRule", "OutcomeTable", "retry_after_ns"]

_SECOND = 1_000_000_000
_LONGEST_RETRY_S = 7 * 24 * 3_600


class Meaning(StrEnum):
    """What an answer says about the effect of its request."""

    #: Refused, without any effect.
    REFUSED = "refused"
    #: Turned away before anyone looked at it: busy, banned, too late.
    TURNED_AWAY = "turned away"
    #: It may have happened, or may still happen.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """One line of a venue's table: what an answer with these marks means; None = any.

    ``text`` is a part of the venue's message, for the venues that say opposite things under one
    code. A 5xx proves nothing by its number: such a rule needs a code or a text.

    :raises ValueError: when the rule would prove something without evidence.
    """

    meaning: Meaning
    reason: RejectClass = RejectClass.OTHER
    status: int | None = None
    code: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.meaning is Meaning.UNKNOWN:
            return
        named = self.code is not None or self.text is not None
        if not named and (self.status is None or not 400 <= self.status < 500):
            raise ValueError(f"{self}: this proves nothing; name a 4xx status, a code or a text")

    def fits(self, status: int, code: str, text: str) -> bool:
        """Tell whether an answer bears all marks of the rule."""
        return (
            (self.status is None or self.status == status)
            and (self.code is None or self.code == code)
            and (self.text is None or self.text in text)
        )


class OutcomeTable:
    """A venue's answers as data: the first rule that fits decides, none = `Unknown`."""

    def __init__(self, rules: Iterable[OutcomeRule]) -> None:
        self._rules = tuple(rules)

    def judge(self, status: int, code: str, text: str = "", *, retry_at_ns: int = 0) -> Outcome:
        """Judge one answer that is no acceptance; ``status`` is that of its HTTP response."""
        shown = f"{status} {code} {text}".strip()
        rule = next((one for one in self._rules if one.fits(status, code, text)), None)
        match None if rule is None else rule.meaning:
            case Meaning.REFUSED if rule is not None:
                return Rejected(code or str(status), rule.reason, text)
            case Meaning.TURNED_AWAY:
                return NotSent(retry_at_ns, shown)
            case _:
                return Unknown(shown)

    @staticmethod
    def no_answer(error: TransportError) -> Outcome:
        """Judge a request that got no answer: not sent only when that is certain."""
        return Unknown(error.cause) if error.sent else NotSent(0, error.cause)


def retry_after_ns(response: Response, now_ns: int) -> int:
    """Give when a venue wants to be asked again, by its ``Retry-After`` in seconds.

    Now when it says nothing or what nobody can read; a week from now at the most.

    Source: RFC 9110, section 10.2.3.
    """
    text = _header(response.headers, "retry-after")
    if not (text.isascii() and text.isdigit()):
        return now_ns
    return now_ns + min(int(text[:9]), _LONGEST_RETRY_S) * _SECOND


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "").strip()
