"""Deliver observations to plugins, so that no plugin can hold up or break the engine or another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fairlead.api import OrderView, Severity
from fairlead.model import Fill, OrderState, Slot

__all__ = ["Observer", "ObserverFailure", "Observers"]

#: A plugin's name and the call that reaches its implementation of one hook.
Observer = tuple[str, Callable[..., object]]


@dataclass(frozen=True, slots=True)
class ObserverFailure:
    """An observer raised or was slow; the observation was lost for it alone."""

    plugin: str
    hook: str
    cause: str


class Observers:
    """Deliver observations, to each plugin by itself, and count who fails.

    Every method gives the failures of this delivery, for the caller to alert of. A call longer
    than ``slow_ns`` is a failure; after ``patience`` failures a plugin is not called any more.
    """

    def __init__(
        self,
        observers: Mapping[str, Sequence[Observer]],
        monotonic_ns: Callable[[], int],
        slow_ns: int,
        patience: int,
    ) -> None:
        self._observers = observers
        self._monotonic_ns = monotonic_ns
        self._slow_ns = slow_ns
        self._patience = patience
        #: How often each plugin has failed.
        self.failures: dict[str, int] = {}

    @property
    def wanted(self) -> bool:
        """Tell whether any plugin observes at all."""
        return any(self._observers.values())

    def started(
        self, instance: str, mode: str, epoch: int, config_hash: str, currency: str, now_ns: int
    ) -> tuple[ObserverFailure, ...]:
        """Tell that the run has begun (see the hook)."""
        return self._deliver(
            "fairlead_started",
            instance=instance,
            mode=mode,
            epoch=epoch,
            config_hash=config_hash,
            currency=currency,
            now_ns=now_ns,
        )

    def order_changed(
        self, order: OrderView, before: OrderState, now_ns: int
    ) -> tuple[ObserverFailure, ...]:
        """Tell that an order has moved (see the hook)."""
        return self._deliver("fairlead_order_changed", order=order, before=before, now_ns=now_ns)

    def filled(self, fill: Fill, slot: Slot, now_ns: int) -> tuple[ObserverFailure, ...]:
        """Tell of a fill (see the hook)."""
        return self._deliver("fairlead_filled", fill=fill, slot=slot, now_ns=now_ns)

    def alert(
        self, severity: Severity, name: str, detail: str, now_ns: int
    ) -> tuple[ObserverFailure, ...]:
        """Tell of what a person should know (see the hook)."""
        return self._deliver(
            "fairlead_alert", severity=severity, name=name, detail=detail, now_ns=now_ns
        )

    def stopped(
        self, instance: str, reason: str, proven: bool, now_ns: int
    ) -> tuple[ObserverFailure, ...]:
        """Tell that the run has ended (see the hook)."""
        return self._deliver(
            "fairlead_stopped", instance=instance, reason=reason, proven=proven, now_ns=now_ns
        )

    def _deliver(self, hook: str, **arguments: object) -> tuple[ObserverFailure, ...]:
        failures = []
        for plugin, call in self._observers.get(hook, ()):
            if self.failures.get(plugin, 0) >= self._patience:
                continue
            began_ns = self._monotonic_ns()
            cause = ""
            try:
                call(**arguments)
            except Exception as error:  # noqa: BLE001 - plugin boundary: it may raise anything
                cause = f"{type(error).__name__}: {error}"
            took_ns = self._monotonic_ns() - began_ns
            if not cause and took_ns > self._slow_ns:
                cause = f"took {took_ns / 1e6:.0f} ms; at most {self._slow_ns / 1e6:.0f} ms"
            if cause:
                count = self.failures[plugin] = self.failures.get(plugin, 0) + 1
                if count >= self._patience:
                    cause += f"; failed {count} times, not called any more"
                failures.append(ObserverFailure(plugin, hook, cause))
        return tuple(failures)
