"""``python -m pipelines.sample --out data/sample`` writes the sample's files."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.sample.delivery import Sample


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.sample", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to, e.g. data/sample")
    out = parser.parse_args().out
    total = Sample().write(out)
    print(f"{total:,} bytes written to {out}")  # noqa: T201


if __name__ == "__main__":
    main()
