"""Keep what must survive a restart: the journal, orders and fills in a database.

SQLAlchemy and Alembic are imported when a database is opened, not before.
"""

from fairlead.store.database import (
    Database,
    Disk,
    Durability,
    Transaction,
)
from fairlead.store.earlier import (
    ENDED_KEPT,
    LATE_NEWS_NS,
    EarlierOrder,
    read_ended,
    read_unfinished,
)
from fairlead.store.execution import (
    ExecutionFill,
    StoredExecution,
    UnfinishedExecution,
    read_unfinished_executions,
    stored_execution,
)
from fairlead.store.failure import store_error
from fairlead.store.journal import Journal, Observer
from fairlead.store.migration import HEAD, MIGRATIONS, is_current, migrate
from fairlead.store.reader import (
    StoredRecord,
    StoredRun,
    StoreReader,
    open_reader,
)
from fairlead.store.record import (
    RECORDS,
    AdmittedLeg,
    AlertRaised,
    CancelAsked,
    ControlAsked,
    DecisionMade,
    ExecutionEnded,
    ExecutionStarted,
    ExecutionStepped,
    FillBooked,
    Incident,
    IntentDenied,
    MarkoutKnown,
    OrderMoved,
    OrderRecorded,
    PostureChanged,
    QuotesSampled,
    Reconciled,
    RunEnded,
    RunStarted,
    StrategyChanged,
    TickPassed,
)
from fairlead.store.record_risk import RISK_RECORDS, RuleEnded, RuleFired, RuleState
from fairlead.store.rule_state import read_rule_states
from fairlead.store.run import PreviousRun, RunIdentity, begin_run
from fairlead.store.sqlite import (
    memory_database,
    open_database,
    open_store,
    store_path,
)
from fairlead.store.statement import (
    Change,
    Entry,
    Origin,
    Row,
    Statements,
    changes,
    statements,
)
from fairlead.store.statement_earlier import EarlierStatements, earlier_statements
from fairlead.store.statement_execution import (
    ExecutionStatements,
    execution_change,
    execution_statements,
)
from fairlead.store.statement_rule import RuleStatements, rule_statements
from fairlead.store.trace import (
    TraceHash,
    TraceSink,
    TraceWriter,
    read_trace,
    trace_line,
)
from fairlead.store.writer import InlineWriter, QueuedStore, ThreadedWriter

__all__ = [
    "ENDED_KEPT",
    "HEAD",
    "LATE_NEWS_NS",
    "MIGRATIONS",
    "RECORDS",
    "RISK_RECORDS",
    "AdmittedLeg",
    "AlertRaised",
    "CancelAsked",
    "Change",
    "ControlAsked",
    "Database",
    "DecisionMade",
    "Disk",
    "Durability",
    "EarlierOrder",
    "EarlierStatements",
    "Entry",
    "ExecutionEnded",
    "ExecutionFill",
    "ExecutionStarted",
    "ExecutionStatements",
    "ExecutionStepped",
    "FillBooked",
    "Incident",
    "InlineWriter",
    "IntentDenied",
    "Journal",
    "MarkoutKnown",
    "Observer",
    "OrderMoved",
    "OrderRecorded",
    "Origin",
    "PostureChanged",
    "PreviousRun",
    "QueuedStore",
    "QuotesSampled",
    "Reconciled",
    "Row",
    "RuleEnded",
    "RuleFired",
    "RuleState",
    "RuleStatements",
    "RunEnded",
    "RunIdentity",
    "RunStarted",
    "Statements",
    "StoreReader",
    "StoredExecution",
    "StoredRecord",
    "StoredRun",
    "StrategyChanged",
    "ThreadedWriter",
    "TickPassed",
    "TraceHash",
    "TraceSink",
    "TraceWriter",
    "Transaction",
    "UnfinishedExecution",
    "begin_run",
    "changes",
    "earlier_statements",
    "execution_change",
    "execution_statements",
    "is_current",
    "memory_database",
    "migrate",
    "open_database",
    "open_reader",
    "open_store",
    "read_ended",
    "read_rule_states",
    "read_trace",
    "read_unfinished",
    "read_unfinished_executions",
    "rule_statements",
    "statements",
    "store_error",
    "store_path",
    "stored_execution",
    "trace_line",
]
