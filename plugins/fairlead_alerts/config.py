"""Configure the notifiers: the ``[alerts.NAME]`` tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fairlead.api import Duration, Severity, secret_reference

__all__ = ["LogConfig", "WebhookConfig"]


def _patience(span: Duration) -> Duration:
    if not 100_000_000 <= span.ns <= 60_000_000_000:
        raise ValueError('write "100 ms" to "60 s"')
    return span


class _NotifierConfig(BaseModel):
    """What every notifier of this plugin can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: Severity = Field(
        Severity.INFO, description="alerts below this grade are left out: info, warning, critical"
    )


class LogConfig(_NotifierConfig):
    """The ``[alerts.log]`` table."""

    file: str = Field(
        "alerts.jsonl",
        min_length=1,
        description="where the lines go; a relative file lies beside the configuration",
    )


class WebhookConfig(_NotifierConfig):
    """The ``[alerts.webhook]`` table."""

    secret_url: Annotated[str, AfterValidator(secret_reference)] = Field(
        description="where the address is: in an environment variable, or in a file of its "
        "owner's alone; never the address itself",
        examples=["env:FAIRLEAD_WEBHOOK_URL"],
    )
    per_minute: int = Field(20, ge=1, le=600, description="more than so many a minute wait")
    attempts: int = Field(
        3, ge=1, le=5, description="how often one alert is tried while nobody answers"
    )
    patience: Annotated[Duration, AfterValidator(_patience)] = Field(
        Duration.parse("10 s"), description="how long one try may take, from 100 ms to 60 s"
    )
