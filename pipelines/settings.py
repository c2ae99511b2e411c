"""Where things are: the home of an installation and its folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.reference import Reference

#: Told what is being done, how far it is, and how much there is.
Progress = Callable[[str, int, int], None]


class Damaged(Exception):
    """The installation is not whole, and going on would make it worse; the message says how to mend it."""


@dataclass(frozen=True)
class Home:
    """The folders of one installation, and nothing else.

    ``raw`` and ``bronze`` are the truth and are never changed; ``published`` is derived from
    them; ``control`` and ``vault`` are SQLite databases.
    """

    root: Path

    @property
    def inbox(self) -> Path:
        """Files arrive here, in one folder per source."""
        return self.root / "inbox"

    @property
    def raw(self) -> Path:
        """Exact bytes, named by their SHA-256."""
        return self.root / "raw"

    @property
    def bronze(self) -> Path:
        """Typed and refused rows of each raw file."""
        return self.root / "bronze"

    @property
    def published(self) -> Path:
        """Read-only DuckDB snapshots."""
        return self.root / "published"

    @property
    def outbox(self) -> Path:
        """What goes to other desks, by recipient."""
        return self.root / "outbox"

    @property
    def reports(self) -> Path:
        """The page of every night."""
        return self.root / "reports"

    @property
    def reference(self) -> Reference:
        """The reference data in force here."""
        return Reference(self.root / "reference")

    @property
    def sources(self) -> Path:
        """This installation's own mappings."""
        return self.root / "reference" / "sources"

    @property
    def control(self) -> Path:
        """Deliveries, runs, signals, cases, outbox, audit log."""
        return self.root / "control.sqlite"

    @property
    def vault(self) -> Path:
        """Sealed clear text of personal values."""
        return self.root / "vault.sqlite"

    @property
    def lock(self) -> Path:
        """Held by the one night that may run."""
        return self.root / "run.lock"

    @property
    def key(self) -> Path:
        """The secret key, outside the home so that a copy of the home does not carry it."""
        named = os.environ.get("BIDWATCH_KEY")
        if named:
            return Path(named)
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        name = hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:12]
        return config / "bidwatch" / f"{name}.key"

    def bronze_of(self, raw_sha: str, version: str) -> Path:
        """The typed rows of a raw file, as one version of the code read them."""
        return self.bronze / raw_sha / version

    def snapshot(self, id: str) -> Path:
        """The file of one snapshot."""
        return self.published / f"{id}.duckdb"

    def has_raw_files(self) -> bool:
        """Tell whether files were taken in here before."""
        return self.raw.is_dir() and any(not path.name.startswith(".") for path in self.raw.iterdir())

    def lost_store(self) -> str:
        """Say what to do where the raw files are there and what is known of them is not."""
        return (
            f"{self.control} is missing or empty, but {self.raw} holds files: this is no new installation. Put the last"
            f" copy of {self.control.name} (and of {self.vault.name}) back and run the night again. If there is none, the"
            " raw files are complete: keep this folder as it is and deliver them anew to a new home; cases and decisions"
            " are lost."
        )

    def prepare(self) -> Home:
        """Create the folders that are missing, readable by the owner only."""
        for folder in (
            self.inbox,
            self.raw,
            self.bronze,
            self.published,
            self.outbox,
            self.reports,
            self.sources,
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_over_old_places()
        return self

    def _take_over_old_places(self) -> None:
        """Move what earlier versions kept at the home's top (``routing.csv``, ``sources/``) to where it stands now."""
        for old in (self.root / "routing.csv", *sorted((self.root / "sources").glob("*.toml"))):
            new = self.root / "reference" / old.relative_to(self.root)
            if old.is_file() and new.exists():
                raise ValueError(f"{old} is read from {new} now, and both are there; keep the second one")
            if old.is_file():
                old.rename(new)


def installed(path: Path | None) -> Home:
    """Return the home, as ``home`` does, where a night has been.

    Raises:
        Damaged: there was, but its control store is gone.
        FileNotFoundError: there was none.
    """
    where = home(path)
    if not where.control.exists():
        if where.has_raw_files():
            raise Damaged(where.lost_store())
        raise FileNotFoundError(f"no installation in {where.root}; run `bidwatch nightly` first")
    return where


def home(path: Path | None = None) -> Home:
    """Return the home: the given one, ``BIDWATCH_HOME``, or ``./workspace``."""
    return Home((path or Path(os.environ.get("BIDWATCH_HOME") or "workspace")).absolute())
