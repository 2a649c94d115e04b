"""Modules and classes stay small enough to be read in one sitting."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.guards.tree import modules, relative

MOST_LINES = 400
MOST_METHODS = 12

#: Module → why it may be longer.
LONGER: Mapping[str, str] = {}

#: ``module:Class`` → why it may have more public methods.
WIDER: Mapping[str, str] = {
    "core/fairlead/api/connector.py:Connector": "the whole contract of a venue in one place",
    "connectors/fairlead_paper/connector.py:PaperConnector": "implements that contract, no more",
    "core/fairlead/testing/neutral/connector.py:NeutralConnector": "implements that contract, too",
    "core/fairlead/testing/simulation/oracle.py:Oracle": "one for each thing that can be heard",
    "core/fairlead/testing/simulation/world.py:World": "its weather and what its engines tell",
}


def long_modules() -> Iterator[str]:
    for file in modules():
        if len(file.read_text(encoding="utf-8").splitlines()) > MOST_LINES:
            yield relative(file)


def public_methods(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            functions = (
                part
                for part in node.body
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
            )
            yield node.name, len({part.name for part in functions if not part.name.startswith("_")})


def wide_classes() -> Iterator[str]:
    for file in modules():
        for name, count in public_methods(ast.parse(file.read_text(encoding="utf-8"))):
            if count > MOST_METHODS:
                yield f"{relative(file)}:{name}"


def test_no_module_is_longer_than_400_lines() -> None:
    assert sorted(long_modules()) == sorted(LONGER)


@pytest.mark.unmeasured
def test_no_class_has_more_than_12_public_methods() -> None:
    assert sorted(wide_classes()) == sorted(WIDER)


@pytest.mark.parametrize("exceptions", [LONGER, WIDER], ids=["longer", "wider"])
def test_every_exception_has_its_reason(exceptions: Mapping[str, str]) -> None:
    assert [name for name, reason in exceptions.items() if not reason.strip()] == []


def test_a_class_is_counted_by_its_public_names() -> None:
    source = "class A:\n def a(self): ...\n async def b(self): ...\n def _c(self): ...\n"

    assert list(public_methods(ast.parse(source))) == [("A", 2)]
