"""What is drawn at an opening: the coefficients of an award rule, and the text in which records hold them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.kernels.rules.award_rules import LETTERS, AwardRule, Draws, Integers, Numbers

#: ';K=0.88;C=0.45': the letters in their order, each number with at most four decimals.
WRITTEN = "".join(["^", *(rf"(?:;{each}=(?P<{each}>[0-9](?:\.[0-9]{{1,4}})?))?" for each in LETTERS), "$"])


def draw(rule: AwardRule, rng: np.random.Generator, counted: Integers) -> dict[str, Numbers]:
    """Draw the coefficients of lots, each value of the rule being equally likely.

    The draw comes after the opening: some rules draw from other values where no bid is counted.

    Args:
        rule: the award rule of all these lots.
        rng: source of chance.
        counted: of `award_rules.counted_bids`, shape (lots,).

    Returns:
        letter -> values, shape (lots,), for every letter, NaN where the rule does not draw it.
    """
    drawn = {letter: np.full(counted.shape, np.nan) for letter in LETTERS}
    for letter, values in rule.drawn.items():
        usual = rng.choice(values, size=counted.shape)
        instead = rng.choice(rule.drawn_if_none.get(letter, values), size=counted.shape)
        drawn[letter] = np.where(counted > 0, usual, instead)
    return drawn


def written(draws: Draws) -> pa.Array:
    """Return what was drawn as text, 'K=0.88;C=0.45', null where nothing was, shape (lots,)."""
    parts = [
        pc.binary_join_element_wise(letter, pa.array(draws[letter], from_pandas=True).cast(pa.string()), "=")
        for letter in LETTERS
        if letter in draws
    ]
    # The first "" keeps the rows without any value, which pyarrow 26 would drop.
    texts = pc.utf8_ltrim(pc.binary_join_element_wise("", *parts, ";", null_handling="skip"), ";")
    return pc.if_else(pc.equal(texts, ""), None, texts)


def parse(texts: pa.Array) -> dict[str, Numbers]:
    """Return the drawn values of texts as `written` writes them, the very same numbers.

    Returns:
        letter -> values, shape (lots,), for every letter, NaN where the text does not hold it. A
        text of any other form holds nothing: its lot cannot be computed again.
    """
    found = pc.extract_regex(pc.binary_join_element_wise("", texts, ";"), WRITTEN)
    values = {letter: pc.struct_field(found, letter) for letter in LETTERS}
    return {
        letter: pc.if_else(pc.equal(value, ""), None, value).cast(pa.float64()).to_numpy(zero_copy_only=False)
        for letter, value in values.items()
    }
