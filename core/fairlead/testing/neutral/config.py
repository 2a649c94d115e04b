"""Describe the ``[venues.NAME]`` table of a neutral venue."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from fairlead.api import Duration

__all__ = ["NeutralConfig"]


class NeutralConfig(BaseModel):
    """The ``[venues.NAME]`` table of a venue that speaks the neutral protocol."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(
        "",
        description="the venue's host, with http:// before it where it answers without encryption "
        "on this machine; by default NAME.test, as a simulated venue answers",
    )
    window: Duration = Field(
        Duration.parse("3 s"), description="how long after its sending a request may take effect"
    )
    skew: Duration = Field(
        Duration.parse("1 s"),
        description="how far the venue's clock may be from what was measured; the venue refuses "
        "stamps that are further ahead",
    )
    silence: Duration = Field(
        Duration.parse("12 s"), description="a stream without content for so long is dead"
    )
    life: Duration = Field(
        Duration.parse("23 h"), description="the age at which a stream is renewed, with overlap"
    )
    budget: int = Field(
        0,
        ge=0,
        description="the weight of requests that the venue takes in each window of time; 0 = any",
    )
    budget_window: Duration = Field(Duration.parse("10 s"), description="the length of that window")
    tells_skew: bool = Field(
        default=True, description="whether it is told how far the venue's clock is from ours"
    )
