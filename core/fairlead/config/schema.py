"""Describe configurations as JSON Schema: the engine's tables, and what plugins offer in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from typing_extensions import override

from fairlead.api import Amount, Duration, Exact, Offer, Offers, Ratio, Share
from fairlead.config.settings import (
    EngineSettings,
    PluginsSettings,
    StrategySettings,
    VenueSettings,
)

__all__ = ["schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OPTIONS = "options"
_NAMES = "^[a-z][a-z0-9_]*$"


def schema(offers: Offers) -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a configuration with these offers."""
    return _Schema(offers).document()


class _Generator(GenerateJsonSchema):
    """Writes defaults as the file does: with their unit."""

    @override
    def encode_default(self, dft: Any) -> Any:
        is_unit = isinstance(dft, Amount | Duration | Exact | Ratio | Share)
        return str(dft) if is_unit else super().encode_default(dft)


class _Schema:
    """One document; models that several tables share are defined once."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        kinds = (offers.connectors, offers.controllers, offers.rules, offers.notifiers)
        models: list[type[BaseModel]] = [EngineSettings, PluginsSettings]
        models += [VenueSettings, StrategySettings]
        models += [offer.config for kind in kinds for offer in kind.values() if offer.config]
        refs, document = models_json_schema(
            [(model, "validation") for model in models], schema_generator=_Generator
        )
        self._refs = {model: ref for (model, _), ref in refs.items()}
        self._definitions: dict[str, Any] = document.get("$defs", {})

    def document(self) -> dict[str, Any]:
        """Put the tables together."""
        offers = self._offers
        rules = {name: self._rule(offer) for name, offer in offers.rules.items()}
        notifiers = {
            name: self._refs[offer.config]
            for name, offer in offers.notifiers.items()
            if offer.config is not None
        }
        document = {
            "$schema": _DRAFT,
            "title": "Fairlead configuration",
            "type": "object",
            "additionalProperties": False,
            "required": ["engine", "venues", "strategies"],
            "properties": {
                "engine": self._refs[EngineSettings],
                "plugins": self._refs[PluginsSettings],
                "venues": self._tables(offers.connectors, VenueSettings, "connector"),
                "strategies": self._tables(offers.controllers, StrategySettings, "controller"),
                "risk": {"type": "object", "additionalProperties": False, "properties": rules},
                "alerts": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": notifiers,
                },
            },
        }
        # The engine's own part of these two lives on in the variants above.
        for merged in (VenueSettings, StrategySettings):
            del self._definitions[self._name(merged)]
        return {**document, "$defs": self._definitions}

    def _definition(self, model: type[BaseModel]) -> dict[str, Any]:
        definition: dict[str, Any] = self._definitions[self._name(model)]
        return definition

    def _name(self, model: type[BaseModel]) -> str:
        return str(self._refs[model]["$ref"]).rpartition("/")[2]

    def _tables(
        self, offers: Mapping[str, Offer[Any, Any]], table: type[BaseModel], key: str
    ) -> dict[str, Any]:
        variants = [self._variant(offer, table, key) for offer in offers.values()]
        return {
            "type": "object",
            "propertyNames": {"pattern": _NAMES},
            "additionalProperties": {"oneOf": variants} if variants else False,
        }

    def _variant(self, offer: Offer[Any, Any], table: type[BaseModel], key: str) -> dict[str, Any]:
        outer = self._definition(table)
        inner: dict[str, Any] = {} if offer.config is None else self._definition(offer.config)
        own = {name: part for name, part in outer["properties"].items() if name != _OPTIONS}
        own[key] = own[key] | {"const": offer.name}
        required = [name for name in outer.get("required", []) if name != _OPTIONS]
        return {
            "title": offer.name,
            "description": offer.summary or inner.get("description", ""),
            "type": "object",
            "additionalProperties": False,
            "properties": {**own, **inner.get("properties", {})},
            "required": [*required, *inner.get("required", [])],
        }

    def _rule(self, offer: Offer[Any, Any]) -> dict[str, Any]:
        if offer.config is None:
            return {}
        table = self._refs[offer.config]
        limit = self._definition(offer.config).get("properties", {}).get("limit")
        # A limit alone may be written in place of the whole table.
        return {"anyOf": [table, limit]} if limit else table
