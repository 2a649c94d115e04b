"""Draw lognormal whole numbers quickly, from a table of quantiles."""

from __future__ import annotations

from math import exp
from statistics import NormalDist

from fairlead.market.synthetic.preset import Sizes

__all__ = ["CELLS", "quantiles"]

#: Entries of a table; draw with ``table[int(random() * CELLS)]``.
CELLS = 1024


def quantiles(sizes: Sizes, unit: float, least: int = 1) -> list[int]:
    """Give `CELLS` equally likely values of a lognormal, rising, in multiples of ``unit``.

    The tails end at one draw in two thousand on either side. A draw from the table costs a
    fifth of a fresh lognormal, and a market draws a thousand a second.
    """
    normal = NormalDist()
    return [
        max(
            least,
            round(sizes.median / unit * exp(sizes.spread * normal.inv_cdf((i + 0.5) / CELLS))),
        )
        for i in range(CELLS)
    ]
