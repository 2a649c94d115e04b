"""Lead every order and cancel the same way to its venue."""

from fairlead.pipeline.breaker import Breaker
from fairlead.pipeline.firing import Firings, effect_of
from fairlead.pipeline.gateway import Gateway, GatewayNews
from fairlead.pipeline.normalize import normalize
from fairlead.pipeline.patience import ask
from fairlead.pipeline.pipeline import Pipeline, PipelineParts, Refusal
from fairlead.pipeline.queue import CreateQueue, batches
from fairlead.pipeline.risk import RiskGate, growing

__all__ = [
    "Breaker",
    "CreateQueue",
    "Firings",
    "Gateway",
    "GatewayNews",
    "Pipeline",
    "PipelineParts",
    "Refusal",
    "RiskGate",
    "ask",
    "batches",
    "effect_of",
    "growing",
    "normalize",
]
