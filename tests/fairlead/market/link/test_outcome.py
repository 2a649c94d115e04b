from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Response, TransportError
from fairlead.market import Meaning, OutcomeRule, OutcomeTable, retry_after_ns
from fairlead.model import NotSent, Outcome, RejectClass, Rejected, Unknown

_SECOND = 1_000_000_000

#: As at Binance: two opposite meanings of a 503, told apart by the text alone.
_TABLE = OutcomeTable(
    (
        OutcomeRule(Meaning.TURNED_AWAY, status=429),
        OutcomeRule(Meaning.TURNED_AWAY, status=418),
        OutcomeRule(Meaning.REFUSED, RejectClass.OTHER, status=503, text="Service Unavailable."),
        OutcomeRule(Meaning.UNKNOWN, code="-1006"),
        OutcomeRule(Meaning.REFUSED, RejectClass.BALANCE, code="-2010", text="insufficient"),
        OutcomeRule(Meaning.REFUSED, RejectClass.POST_ONLY, code="-2010"),
    )
)

rules = st.builds(
    OutcomeRule,
    st.sampled_from(Meaning),
    st.sampled_from(RejectClass),
    st.none() | st.integers(400, 499),
    st.sampled_from(["A", "B", "C"]),
    st.none() | st.sampled_from(["x", "y"]),
)


@pytest.mark.parametrize(
    ("status", "code", "text", "outcome"),
    [
        (503, "", "Unknown error, please check", Unknown("503  Unknown error, please check")),
        (
            503,
            "",
            "Service Unavailable.",
            Rejected("503", RejectClass.OTHER, "Service Unavailable."),
        ),
        (400, "-1006", "", Unknown("400 -1006")),
        (
            400,
            "-2010",
            "insufficient funds",
            Rejected("-2010", RejectClass.BALANCE, "insufficient funds"),
        ),
        (400, "-2010", "would match", Rejected("-2010", RejectClass.POST_ONLY, "would match")),
        (429, "", "", NotSent(7, "429")),
        (418, "-1003", "", NotSent(7, "418 -1003")),
        (400, "-9999", "what is this", Unknown("400 -9999 what is this")),
        (500, "", "", Unknown("500")),
        (302, "", "", Unknown("302")),
    ],
)
def test_an_answer_means_what_its_line_of_the_table_says(
    status: int, code: str, text: str, outcome: Outcome
) -> None:
    assert _TABLE.judge(status, code, text, retry_at_ns=7) == outcome


@given(
    table=st.lists(rules),
    status=st.integers(500, 599),
    text=st.text(max_size=5),
)
def test_no_5xx_proves_anything_unless_a_rule_knows_its_code_or_text(
    table: list[OutcomeRule], status: int, text: str
) -> None:
    assert isinstance(OutcomeTable(table).judge(status, "unheard of", text), Unknown)


@given(table=st.lists(rules), status=st.integers(100, 599), code=st.sampled_from("ABCDE"))
def test_what_no_rule_fits_is_never_proven(
    table: list[OutcomeRule], status: int, code: str
) -> None:
    outcome = OutcomeTable(table).judge(status, code)

    proving = [
        rule
        for rule in table
        if rule.fits(status, code, "") and rule.meaning is not Meaning.UNKNOWN
    ]
    assert isinstance(outcome, Unknown) or proving


@given(st.sampled_from([Meaning.REFUSED, Meaning.TURNED_AWAY]), st.none() | st.integers(100, 599))
def test_a_rule_that_proves_something_needs_evidence(meaning: Meaning, status: int | None) -> None:
    if status is not None and 400 <= status < 500:
        assert OutcomeRule(meaning, status=status).status == status
        return

    with pytest.raises(ValueError, match="proves nothing"):
        OutcomeRule(meaning, status=status)


@given(cause=st.text(), sent=st.booleans())
def test_a_request_without_an_answer_is_not_sent_only_when_nothing_left(
    cause: str, sent: bool
) -> None:
    outcome = OutcomeTable(()).no_answer(TransportError(cause, sent=sent))

    assert outcome == (Unknown(cause) if sent else NotSent(0, cause))


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "30"}, 30),
        ({"retry-after": " 5 "}, 5),
        ({}, 0),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "²"}, 0),
        ({"Retry-After": "99999999999999999999999999"}, 7 * 24 * 3600),
    ],
)
def test_a_venue_says_when_it_wants_to_be_asked_again(headers: dict[str, str], wait_s: int) -> None:
    assert retry_after_ns(Response(429, headers, b""), 10) == 10 + wait_s * _SECOND
