from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from fairlead.api import Registry
from fairlead.errors import PluginError


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Loose(BaseModel):
    model_config = ConfigDict(frozen=True)


class Changing(BaseModel):
    model_config = ConfigDict(extra="forbid")


def build(*arguments: Any) -> Any:  # noqa: ANN401 - stands for any builder
    return arguments


def filled() -> Registry:
    registry = Registry()
    registry.enter("one", "dist-one 1.0")
    registry.connector("venue", Table, build, summary="a venue")
    registry.controller("maker", Table, build)
    registry.risk_rule("limit", Table, build)
    registry.data_source("tape", build)
    return registry


def test_what_is_offered_is_found_by_name_with_who_offers_it() -> None:
    offers = filled().offers()

    assert list(offers.connectors) == ["venue"]
    assert list(offers.controllers) == ["maker"]
    assert list(offers.rules) == ["limit"]
    assert list(offers.sources) == ["tape"]
    offer = offers.connectors["venue"]
    assert (offer.plugin, offer.distribution, offer.summary) == ("one", "dist-one 1.0", "a venue")
    assert offer.config is Table
    assert offers.sources["tape"].config is None


def test_offers_cannot_be_changed_afterwards() -> None:
    offers = filled().offers()

    with pytest.raises(TypeError):
        offers.connectors["other"] = offers.connectors["venue"]  # type: ignore[index]  # the test


@pytest.mark.parametrize(
    ("offer", "what"),
    [
        (lambda registry: registry.connector("venue", Table, build), "connector 'venue'"),
        (lambda registry: registry.controller("maker", Table, build), "controller 'maker'"),
        (lambda registry: registry.risk_rule("limit", Table, build), "risk rule 'limit'"),
        (lambda registry: registry.data_source("tape", build), "data source 'tape'"),
    ],
)
def test_a_name_offered_twice_names_both_plugins(offer: Any, what: str) -> None:  # noqa: ANN401 - a call on the registry
    registry = filled()
    registry.enter("two", "dist-two 2.0")

    with pytest.raises(PluginError) as caught:
        offer(registry)

    text = str(caught.value)
    assert text.startswith("plugin 'two' (dist-two 2.0): ")
    assert what in text
    assert "'one' (dist-one 1.0)" in text


def test_equal_names_of_different_things_are_no_conflict() -> None:
    registry = filled()

    registry.controller("venue", Table, build)

    assert "venue" in registry.offers().controllers


@pytest.mark.parametrize("model", [Loose, Changing])
def test_a_model_that_is_not_strict_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(PluginError, match="must be frozen and forbid unknown keys"):
        filled().connector("other", model, build)
