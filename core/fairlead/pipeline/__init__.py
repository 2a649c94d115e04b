"""Lead every order and cancel the same way to its venue."""

from fairlead.pipeline.backoff import LONGEST_NS, Backoff, Refusal, backed_off
from fairlead.pipeline.batch import BatchPolicy, RequestCounts, batches, cancel_batches
from fairlead.pipeline.breaker import NEW_RISK, Breaker, BreakerPolicy, Circuit
from fairlead.pipeline.firing import Firings, effect_of
from fairlead.pipeline.gateway import Gateway, GatewayNews, GatewayTerms
from fairlead.pipeline.normalize import normalize
from fairlead.pipeline.patience import ask
from fairlead.pipeline.pipeline import Pipeline, PipelineParts
from fairlead.pipeline.queue import URGENT, CreateQueue, queued_id
from fairlead.pipeline.risk import TARGET_UNKNOWN, RiskGate, growing
from fairlead.pipeline.throttle import Bucket, Lane, Throttle

__all__ = [
    "LONGEST_NS",
    "NEW_RISK",
    "TARGET_UNKNOWN",
    "URGENT",
    "Backoff",
    "BatchPolicy",
    "Breaker",
    "BreakerPolicy",
    "Bucket",
    "Circuit",
    "CreateQueue",
    "Firings",
    "Gateway",
    "GatewayNews",
    "GatewayTerms",
    "Lane",
    "Pipeline",
    "PipelineParts",
    "Refusal",
    "RequestCounts",
    "RiskGate",
    "Throttle",
    "ask",
    "backed_off",
    "batches",
    "cancel_batches",
    "effect_of",
    "growing",
    "normalize",
    "queued_id",
]
