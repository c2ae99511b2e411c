"""Random numbers: one stream per purpose and period, so that one purpose never disturbs another."""

from __future__ import annotations

from zlib import crc32

import numpy as np


class Streams:
    """Generators that depend on the seed, the purpose and the period alone.

    The same county with and without rings therefore has the same lots, firms and honest prices.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, purpose: str, period: int = 0) -> np.random.Generator:
        """Return the generator of this purpose in this period, from its start."""
        return np.random.default_rng([self.seed, crc32(purpose.encode()), period])
