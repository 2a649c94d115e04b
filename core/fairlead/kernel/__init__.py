"""Run the engine: clock, plugins, composition, and the desk where everything meets."""

from fairlead.kernel.alert_limit import AlertLimit
from fairlead.kernel.alert_rule import AlertWatch, Cause, cause_of
from fairlead.kernel.alerting import AlertQueue, build_notifiers
from fairlead.kernel.beat import Beat, beat_name, clear_beat, read_beat, sign_name, write_beat
from fairlead.kernel.cast import Cast, CastCalls
from fairlead.kernel.clock import SystemClock
from fairlead.kernel.container import (
    EngineContainer,
    Surroundings,
    build_connector,
    compose,
    settings_seed,
    strategy_plan,
)
from fairlead.kernel.control import BY_HAND, Control, ControlParts
from fairlead.kernel.control_client import ControlClient
from fairlead.kernel.control_command import (
    COMMANDS,
    MOST_BYTES,
    Answer,
    Attach,
    Balances,
    CancelOrders,
    Command,
    Fills,
    Flatten,
    Orders,
    Panic,
    Pause,
    Pnl,
    Positions,
    Query,
    Reduce,
    Refused,
    Reply,
    Request,
    ResetPeak,
    Resume,
    Risk,
    Status,
    StopRun,
    Strategy,
    answer_line,
    read_request,
    request_line,
)
from fairlead.kernel.control_server import ControlServer
from fairlead.kernel.control_socket import ControlSocket, connect_socket, socket_path
from fairlead.kernel.control_view import Seen
from fairlead.kernel.desk import Desk, DeskParts
from fairlead.kernel.engine import Engine
from fairlead.kernel.executing import (
    EXECUTE,
    Executing,
    ExecutionProgress,
    OnePlan,
    OnePlanOptions,
    only_plan,
)
from fairlead.kernel.exits import Exits
from fairlead.kernel.flatten import FlattenAsked, Flattening, slippage
from fairlead.kernel.guard import ACCOUNT, GuardCalls, RiskGuard
from fairlead.kernel.halt import Halt, lift_halt, marker_name, read_halt, write_halt
from fairlead.kernel.ids import SeededIds, SystemIds
from fairlead.kernel.observers import Observer, ObserverFailure, Observers
from fairlead.kernel.observing import ObserverQueue
from fairlead.kernel.outcome import RunResult, RunSetup, StopReason, StopRequest
from fairlead.kernel.outlook import MARGIN_EVERY_NS, Outlook
from fairlead.kernel.outside import instance_tag, outside_connectors
from fairlead.kernel.panic import EmergencyStop, EmergencyStopParts
from fairlead.kernel.parts import DeskMaker, EngineParts
from fairlead.kernel.peak import (
    RiskMemory,
    ask_peak_reset,
    ask_residuals_lifted,
    peak_note,
    residuals_note,
    risk_memory,
)
from fairlead.kernel.plan import StrategyPlan
from fairlead.kernel.plans import PlanDesk, PlanDeskParts
from fairlead.kernel.plans_admission import RESERVED_LEVEL, Admissions
from fairlead.kernel.plans_book import PlanBook
from fairlead.kernel.plans_end import PlanEnds, ended_as_it_is
from fairlead.kernel.plans_left import PlanLeft, held_text, left_fact, plans_left
from fairlead.kernel.plans_parts import build_plans
from fairlead.kernel.plans_restart import PlanRestart
from fairlead.kernel.plans_result import denied_result, execution_result, total_slippage_bps
from fairlead.kernel.plans_run import (
    WAITING,
    Closing,
    PlanLook,
    PlanRun,
    PlanSurroundings,
    markets_in,
)
from fairlead.kernel.plans_start import NotResumed, PlanStarter, state_text
from fairlead.kernel.plans_stuck import PlanStuck
from fairlead.kernel.plans_watch import PlanWatches
from fairlead.kernel.plans_wish import PlanWishes, waiting_id
from fairlead.kernel.plugins import Installed, Plugins, installed, load_plugins, try_plugins
from fairlead.kernel.post import Delivery, Post
from fairlead.kernel.probe import markets_of
from fairlead.kernel.process import SystemProcess
from fairlead.kernel.proof import ProofParts, prove_gone, prove_or_hurry
from fairlead.kernel.protection import Protection, ProtectionParts
from fairlead.kernel.relief import Reliefs
from fairlead.kernel.reporter import Reporter
from fairlead.kernel.resting import Levels, own_levels, resting
from fairlead.kernel.riskview import AccountFigures, EngineRiskView, as_order
from fairlead.kernel.roster import Roster
from fairlead.kernel.runtime import Runtime, SystemRuntime, VirtualRuntime, runtime_for
from fairlead.kernel.secret import read_secret
from fairlead.kernel.session import Session, SessionOptions, SessionOutcome
from fairlead.kernel.shell import Shell
from fairlead.kernel.side import SideLoop
from fairlead.kernel.single import hold_instance, lock_name
from fairlead.kernel.strategy import StrategyParts, StrategyRunner
from fairlead.kernel.sweep import Sweep, SweepParts
from fairlead.kernel.tally import Tally
from fairlead.kernel.ticker import CoreFailure, Part, Phase, Tick, Ticker, instance_offset_ns
from fairlead.kernel.transport import SystemTransport
from fairlead.kernel.virtual import StandstillError, VirtualClock, VirtualLoop
from fairlead.kernel.watchdog import Watchdog, WatchdogParts, WatchEnd

__all__ = [
    "ACCOUNT",
    "BY_HAND",
    "COMMANDS",
    "EXECUTE",
    "MARGIN_EVERY_NS",
    "MOST_BYTES",
    "RESERVED_LEVEL",
    "WAITING",
    "AccountFigures",
    "Admissions",
    "AlertLimit",
    "AlertQueue",
    "AlertWatch",
    "Answer",
    "Attach",
    "Balances",
    "Beat",
    "CancelOrders",
    "Cast",
    "CastCalls",
    "Cause",
    "Closing",
    "Command",
    "Control",
    "ControlClient",
    "ControlParts",
    "ControlServer",
    "ControlSocket",
    "CoreFailure",
    "Delivery",
    "Desk",
    "DeskMaker",
    "DeskParts",
    "EmergencyStop",
    "EmergencyStopParts",
    "Engine",
    "EngineContainer",
    "EngineParts",
    "EngineRiskView",
    "Executing",
    "ExecutionProgress",
    "Exits",
    "Fills",
    "Flatten",
    "FlattenAsked",
    "Flattening",
    "GuardCalls",
    "Halt",
    "Installed",
    "Levels",
    "NotResumed",
    "Observer",
    "ObserverFailure",
    "ObserverQueue",
    "Observers",
    "OnePlan",
    "OnePlanOptions",
    "Orders",
    "Outlook",
    "Panic",
    "Part",
    "Pause",
    "Phase",
    "PlanBook",
    "PlanDesk",
    "PlanDeskParts",
    "PlanEnds",
    "PlanLeft",
    "PlanLook",
    "PlanRestart",
    "PlanRun",
    "PlanStarter",
    "PlanStuck",
    "PlanSurroundings",
    "PlanWatches",
    "PlanWishes",
    "Plugins",
    "Pnl",
    "Positions",
    "Post",
    "ProofParts",
    "Protection",
    "ProtectionParts",
    "Query",
    "Reduce",
    "Refused",
    "Reliefs",
    "Reply",
    "Reporter",
    "Request",
    "ResetPeak",
    "Resume",
    "Risk",
    "RiskGuard",
    "RiskMemory",
    "Roster",
    "RunResult",
    "RunSetup",
    "Runtime",
    "SeededIds",
    "Seen",
    "Session",
    "SessionOptions",
    "SessionOutcome",
    "Shell",
    "SideLoop",
    "StandstillError",
    "Status",
    "StopReason",
    "StopRequest",
    "StopRun",
    "Strategy",
    "StrategyParts",
    "StrategyPlan",
    "StrategyRunner",
    "Surroundings",
    "Sweep",
    "SweepParts",
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
    "WatchEnd",
    "Watchdog",
    "WatchdogParts",
    "answer_line",
    "as_order",
    "ask_peak_reset",
    "ask_residuals_lifted",
    "beat_name",
    "build_connector",
    "build_notifiers",
    "build_plans",
    "cause_of",
    "clear_beat",
    "compose",
    "connect_socket",
    "denied_result",
    "ended_as_it_is",
    "execution_result",
    "held_text",
    "hold_instance",
    "installed",
    "instance_offset_ns",
    "instance_tag",
    "left_fact",
    "lift_halt",
    "load_plugins",
    "lock_name",
    "marker_name",
    "markets_in",
    "markets_of",
    "only_plan",
    "outside_connectors",
    "own_levels",
    "peak_note",
    "plans_left",
    "prove_gone",
    "prove_or_hurry",
    "read_beat",
    "read_halt",
    "read_request",
    "read_secret",
    "request_line",
    "residuals_note",
    "resting",
    "risk_memory",
    "runtime_for",
    "settings_seed",
    "sign_name",
    "slippage",
    "socket_path",
    "state_text",
    "strategy_plan",
    "total_slippage_bps",
    "try_plugins",
    "waiting_id",
    "write_beat",
    "write_halt",
]
