"""Invented prose of bids and tender documents, from `phrases.toml`; the same numbers give the same words."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_SLOT = re.compile(r"\{(\w+)\}")
SENTENCES_OF_A_PARAGRAPH = 3


def paragraphs(rng: np.random.Generator, count: int, kind: str) -> list[str]:
    """Return paragraphs of three sentences; ``kind`` is ``bid`` or ``tender``."""
    return ["".join(_sentence(rng, kind) for _ in range(SENTENCES_OF_A_PARAGRAPH)) for _ in range(count)]


def forms(**filled: str) -> list[str]:
    """Return the standard form that stands in every bid, its blanks filled; an unfilled one is a line."""
    lines = _phrases()["forms"]["paragraphs"]
    return [_SLOT.sub(lambda slot: filled.get(slot[1], "________"), line) for line in lines]


def mistyped(rng: np.random.Generator, text: str, share: float) -> str:
    """Return the text with this share of its easily mistyped letters replaced."""
    pairs = [pair for pair in _phrases()["typos"]["pairs"] if len(pair) == 2]
    others = {one: other for a, b in pairs for one, other in ((a, b), (b, a))}
    return "".join(others[letter] if letter in others and rng.random() < share else letter for letter in text)


def _sentence(rng: np.random.Generator, kind: str) -> str:
    patterns, words = _phrases()[kind], _phrases()["words"]
    pattern: str = patterns[rng.integers(len(patterns))]
    return _SLOT.sub(lambda slot: words[slot[1]][rng.integers(len(words[slot[1]]))], pattern)


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
