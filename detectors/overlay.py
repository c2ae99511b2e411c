"""What an installation puts over the files that come with the program: which of two files and of two tables counts.

It stands below all, because the registry puts limits over limits here and `pipelines.reference` tables over tables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: The reference data that come with the program.
SHIPPED = Path(__file__).parents[1] / "data" / "reference"


def own(local: Path | None, name: str) -> Path | None:
    """Return the installation's own file of a name, if there is one in its folder."""
    path = local / name if local else None
    return path if path and path.is_file() else None


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises:
        ValueError: it is not UTF-8 or not TOML; the message names the file.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def put_over(shipped: Mapping[str, Any], own: Mapping[str, Any], *, levels: int = 1) -> dict[str, Any]:
    """Return the shipped entries, the installation's own in the place of those of the same name.

    Args:
        shipped: the entries that come with the program.
        own: those of the installation; what is new is added.
        levels: 1 where a whole entry takes a place; 2 where an entry is a table and its values do so, one by one.
    """
    if levels > 1:
        own = {name: put_over(shipped.get(name, {}), table, levels=levels - 1) for name, table in own.items()}
    return {**shipped, **own}
