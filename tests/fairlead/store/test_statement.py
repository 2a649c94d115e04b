"""What is said to the database in its own language."""

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest

from fairlead.store.statement import statements
from fairlead.store.statement_earlier import earlier_statements
from fairlead.store.statement_execution import execution_statements
from fairlead.store.statement_rule import rule_statements


@pytest.mark.parametrize(
    "made", [statements, earlier_statements, execution_statements, rule_statements]
)
def test_no_statement_wants_a_parameter_that_nobody_has_named(made: Callable[[], Any]) -> None:
    # SQLAlchemy writes the numbers of LIMIT and OFFSET as parameters, unless told otherwise.
    texts = [text for text in astuple(made()) if isinstance(text, str)]

    assert texts
    assert [text for text in texts if "LIMIT ?" in text or "OFFSET ?" in text] == []
