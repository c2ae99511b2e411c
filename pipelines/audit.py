"""The append-only audit log and its checkpoints.

Every entry is a leaf of a Merkle tree (RFC 6962, section 2.1). A checkpoint (the tree's size and
root) goes out with every delivery: whoever keeps one can later show that the log was not rewritten.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Sequence

ORIGIN = "bidwatch/audit"


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def append(
    con: sqlite3.Connection, *, at: str, actor: str, verb: str, subject: str, **details: object
) -> None:
    """Add one entry inside the caller's transaction.

    Raises:
        ValueError: no actor is named; an action nobody did is not recorded, and not done.
    """
    if not actor.strip():
        raise ValueError("every action needs an actor: name who does it")
    seq = con.execute("SELECT coalesce(max(seq), -1) + 1 FROM audit").fetchall()[0][0]
    entry = {**details, "seq": seq, "at": at, "actor": actor, "verb": verb, "object": subject}
    con.execute("INSERT INTO audit (seq, body) VALUES (?, ?)", (seq, canonical(entry)))


def checkpoint(con: sqlite3.Connection) -> str:
    """Return the checkpoint text: origin, size and root, one a line (C2SP tlog-checkpoint body)."""
    bodies = [body.encode() for (body,) in con.execute("SELECT body FROM audit ORDER BY seq").fetchall()]
    root = base64.b64encode(tree_hash(bodies)).decode()
    return f"{ORIGIN}\n{len(bodies)}\n{root}\n"


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves (RFC 6962, section 2.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        # An odd last node moves up unchanged; this equals the recursive split at a power of two.
        paired = [
            hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0]
