"""Texts and numbers of mappings and reference data as SQL literals."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """Return texts as SQL literals between commas, sorted."""
    return ", ".join(quoted(text) for text in sorted(texts))


def number(value: float) -> str:
    """Return a number with exactly the decimals that a person wrote: 0.01 is 0.01."""
    return format(Decimal(str(value)), "f")


def once(expression: str, name: str, body: str) -> str:
    """SQL of ``body``, in which ``name`` stands for ``expression``.

    Written out at every place, an expression is planned at every place, and its regular expressions are compiled there.
    """
    return f"list_transform([{expression}], lambda {name}: {body})[1]"
