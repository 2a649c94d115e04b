"""Run the engine: clock, plugins, composition, and the desk where everything meets."""

from fairlead.kernel.clock import (
    SystemClock,
)
from fairlead.kernel.container import (
    EngineContainer,
    Surroundings,
    build_connector,
    compose,
    settings_seed,
)
from fairlead.kernel.desk import (
    Desk,
    DeskParts,
)
from fairlead.kernel.engine import (
    Engine,
    EngineParts,
)
from fairlead.kernel.ids import (
    SeededIds,
    SystemIds,
)
from fairlead.kernel.observers import (
    Observer,
    ObserverFailure,
    Observers,
)
from fairlead.kernel.observing import (
    ObserverQueue,
)
from fairlead.kernel.outcome import (
    RunResult,
    RunSetup,
    StopReason,
)
from fairlead.kernel.plan import (
    StrategyPlan,
)
from fairlead.kernel.plugins import (
    Installed,
    Plugins,
    installed,
    load_plugins,
    try_plugins,
)
from fairlead.kernel.probe import (
    markets_of,
)
from fairlead.kernel.process import (
    SystemProcess,
)
from fairlead.kernel.proof import (
    prove_gone,
)
from fairlead.kernel.reporter import (
    Reporter,
)
from fairlead.kernel.resting import (
    Levels,
    own_levels,
    resting,
)
from fairlead.kernel.riskview import (
    AccountFigures,
    EngineRiskView,
)
from fairlead.kernel.runtime import (
    Runtime,
    SystemRuntime,
    VirtualRuntime,
    runtime_for,
)
from fairlead.kernel.session import (
    Session,
    SessionOptions,
    SessionOutcome,
)
from fairlead.kernel.single import (
    hold_instance,
    lock_name,
)
from fairlead.kernel.strategy import (
    StrategyParts,
    StrategyRunner,
)
from fairlead.kernel.tally import (
    Tally,
)
from fairlead.kernel.ticker import (
    CoreFailure,
    Part,
    Phase,
    Tick,
    Ticker,
    instance_offset_ns,
)
from fairlead.kernel.transport import (
    SystemTransport,
)
from fairlead.kernel.virtual import (
    StandstillError,
    VirtualClock,
    VirtualLoop,
)

__all__ = [
    "AccountFigures",
    "CoreFailure",
    "Desk",
    "DeskParts",
    "Engine",
    "EngineContainer",
    "EngineParts",
    "EngineRiskView",
    "Installed",
    "Levels",
    "Observer",
    "ObserverFailure",
    "ObserverQueue",
    "Observers",
    "Part",
    "Phase",
    "Plugins",
    "Reporter",
    "RunResult",
    "RunSetup",
    "Runtime",
    "SeededIds",
    "Session",
    "SessionOptions",
    "SessionOutcome",
    "StandstillError",
    "StopReason",
    "StrategyParts",
    "StrategyPlan",
    "StrategyRunner",
    "Surroundings",
    "SystemClock",
    "SystemIds",
    "SystemProcess",
    "SystemRuntime",
    "SystemTransport",
    "Tally",
    "Tick",
    "Ticker",
    "VirtualClock",
    "VirtualLoop",
    "VirtualRuntime",
    "build_connector",
    "compose",
    "hold_instance",
    "installed",
    "instance_offset_ns",
    "load_plugins",
    "lock_name",
    "markets_of",
    "own_levels",
    "prove_gone",
    "resting",
    "runtime_for",
    "settings_seed",
    "try_plugins",
]
