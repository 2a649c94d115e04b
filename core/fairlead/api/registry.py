"""Let plugins offer things by name: each with a configuration model and a builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from fairlead.api.alert import Notifier, NotifierContext
from fairlead.api.connector import Connector, ConnectorContext
from fairlead.api.controller import Controller, ControllerContext
from fairlead.api.plan_executor import ExecutorContext, Plan, PlanExecutor
from fairlead.api.risk import RiskRule, RuleContext
from fairlead.api.source import DataSource, SourceContext
from fairlead.errors import PluginError

__all__ = ["Offer", "Offers", "Registry"]

BuiltT = TypeVar("BuiltT")
ContextT = TypeVar("ContextT")
ConfigT = TypeVar("ConfigT", bound=BaseModel)
PlanT = TypeVar("PlanT", bound=Plan)


@dataclass(frozen=True, slots=True)
class Offer(Generic[ContextT, BuiltT]):
    """One thing on offer: who offers it, its configuration and how to build it."""

    name: str
    plugin: str
    distribution: str
    summary: str
    #: A frozen model that forbids unknown keys; None for data sources, which take a text.
    config: type[BaseModel] | None
    build: Callable[[Any, ContextT], BuiltT]


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything that the enabled plugins offer, by name."""

    connectors: Mapping[str, Offer[ConnectorContext, Connector]]
    controllers: Mapping[str, Offer[ControllerContext, Controller[Any]]]
    rules: Mapping[str, Offer[RuleContext, RiskRule]]
    sources: Mapping[str, Offer[SourceContext, DataSource]]
    notifiers: Mapping[str, Offer[NotifierContext, Notifier]] = field(default_factory=dict)
    executors: Mapping[str, Offer[ExecutorContext, PlanExecutor[Any]]] = field(default_factory=dict)


class Registry:
    """Where a plugin writes down its offers; valid during ``fairlead_register`` only."""

    def __init__(self) -> None:
        self._connectors: dict[str, Offer[ConnectorContext, Connector]] = {}
        self._controllers: dict[str, Offer[ControllerContext, Controller[Any]]] = {}
        self._rules: dict[str, Offer[RuleContext, RiskRule]] = {}
        self._sources: dict[str, Offer[SourceContext, DataSource]] = {}
        self._notifiers: dict[str, Offer[NotifierContext, Notifier]] = {}
        self._executors: dict[str, Offer[ExecutorContext, PlanExecutor[Any]]] = {}
        self._plugin = ""
        self._distribution = ""

    def enter(self, plugin: str, distribution: str) -> None:
        """Attribute what is offered from now on to this plugin (for the loader)."""
        self._plugin, self._distribution = plugin, distribution

    def connector(
        self,
        name: str,
        config: type[ConfigT],
        build: Callable[[ConfigT, ConnectorContext], Connector],
        *,
        summary: str = "",
    ) -> None:
        """Offer a connector under the name that ``connector = …`` in a venue table gives."""
        self._add(self._connectors, "connector", name, config, build, summary)

    def controller(
        self,
        name: str,
        config: type[ConfigT],
        build: Callable[[ConfigT, ControllerContext], Controller[Any]],
        *,
        summary: str = "",
    ) -> None:
        """Offer a strategy under the name that ``controller = …`` in a strategy table gives."""
        self._add(self._controllers, "controller", name, config, build, summary)

    def risk_rule(
        self,
        name: str,
        config: type[ConfigT],
        build: Callable[[ConfigT, RuleContext], RiskRule],
        *,
        summary: str = "",
    ) -> None:
        """Offer a risk rule under its key in ``[risk]``; it is on with its model's defaults."""
        self._add(self._rules, "risk rule", name, config, build, summary)

    def data_source(
        self,
        scheme: str,
        build: Callable[[str, SourceContext], DataSource],
        *,
        summary: str = "",
    ) -> None:
        """Offer a data source under the scheme of ``source = "scheme:argument"``.

        The builder gets the argument; it raises `ValueError` with what would be right.
        """
        self._add(self._sources, "data source", scheme, None, build, summary)

    def notifier(
        self,
        name: str,
        config: type[ConfigT],
        build: Callable[[ConfigT, NotifierContext], Notifier],
        *,
        summary: str = "",
    ) -> None:
        """Offer a notifier under its key in ``[alerts]``; it is on where it is written there.

        The builder raises `ValueError` with what would be right.
        """
        self._add(self._notifiers, "notifier", name, config, build, summary)

    def executor(
        self,
        name: str,
        plan: type[PlanT],
        build: Callable[[PlanT, ExecutorContext], PlanExecutor[Any]],
        *,
        summary: str = "",
    ) -> None:
        """Offer a plan executor under the name that a `Start` gives."""
        self._add(self._executors, "executor", name, plan, build, summary)

    def offers(self) -> Offers:
        """Give everything offered so far."""
        return Offers(
            connectors=MappingProxyType(self._connectors),
            controllers=MappingProxyType(self._controllers),
            rules=MappingProxyType(self._rules),
            sources=MappingProxyType(self._sources),
            notifiers=MappingProxyType(self._notifiers),
            executors=MappingProxyType(self._executors),
        )

    def _add(
        self,
        table: dict[str, Offer[ContextT, BuiltT]],
        what: str,
        name: str,
        config: type[BaseModel] | None,
        build: Callable[[Any, ContextT], BuiltT],
        summary: str,
    ) -> None:
        if name in table:
            other = table[name]
            raise PluginError(
                self._plugin,
                self._distribution,
                f"offers the {what} {name!r}, which {other.plugin!r} ({other.distribution}) "
                "offers too; enable one of them",
            )
        if config is not None and not (
            config.model_config.get("extra") == "forbid" and config.model_config.get("frozen")
        ):
            raise PluginError(
                self._plugin,
                self._distribution,
                f"{what} {name!r}: its model {config.__name__} must be frozen and forbid "
                "unknown keys",
            )
        table[name] = Offer(name, self._plugin, self._distribution, summary, config, build)
