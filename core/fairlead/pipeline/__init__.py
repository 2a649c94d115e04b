"""Lead every order and cancel the same way to its venue."""

from fairlead.pipeline.breaker import Breaker
from fairlead.pipeline.gateway import Gateway, GatewayNews
from fairlead.pipeline.normalize import normalize
from fairlead.pipeline.patience import ask
from fairlead.pipeline.pipeline import Pipeline, PipelineParts, Refusal
from fairlead.pipeline.queue import CreateQueue, batches
from fairlead.pipeline.risk import RiskGate, growing

__all__ = [
    "Breaker",
    "CreateQueue",
    "Gateway",
    "GatewayNews",
    "Pipeline",
    "PipelineParts",
    "Refusal",
    "RiskGate",
    "ask",
    "batches",
    "growing",
    "normalize",
]
