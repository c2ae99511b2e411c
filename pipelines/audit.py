"""The append-only audit log and its checkpoints.

Every entry is a leaf of a Merkle tree (RFC 6962, section 2.1). A checkpoint (the tree's size and
root) goes out with every delivery: whoever keeps one can later show that the log was not rewritten.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from reports.canonical_json import canonical_json
from reports.handed_out import verify_log
from reports.handed_out.verify_log import ORIGIN, leaf_hash, node_hash


def append(
    con: sqlite3.Connection, *, at: str, actor: str, verb: str, subject: str, **details: object
) -> None:
    """Add one entry inside the caller's transaction.

    Raises:
        ValueError: no actor is named. The caller's transaction fails with it: an action without an actor is not done.
    """
    if not actor.strip():
        raise ValueError("every action needs an actor: name who does it")
    seq = _size(con)
    body = canonical_json({**details, "seq": seq, "at": at, "actor": actor, "verb": verb, "object": subject})
    edge = _edge(con, seq)
    con.execute("INSERT INTO audit (seq, body) VALUES (?, ?)", (seq, body))
    node, level = leaf_hash(body.encode()), 0
    while seq >> level & 1:
        node = node_hash(edge[level], node)
        level += 1
    con.execute("DELETE FROM audit_edge WHERE level < ?", (level,))
    con.execute("INSERT INTO audit_edge (level, hash) VALUES (?, ?)", (level, node))


def checkpoint(con: sqlite3.Connection) -> str:
    """Return the checkpoint text: origin, size and root, one a line (C2SP tlog-checkpoint body)."""
    size = _size(con)
    edge = _edge(con, size)
    root = edge[min(edge)] if edge else verify_log.root_of([])
    for level in sorted(edge)[1:]:
        root = node_hash(edge[level], root)
    return checkpoint_text(size, root)


def checkpoint_text(size: int, root: bytes) -> str:
    """Return a checkpoint of a tree."""
    return f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"


def entries(con: sqlite3.Connection) -> list[str]:
    """Return every entry, in order, as the texts that were hashed."""
    return [body for (body,) in con.execute("SELECT body FROM audit ORDER BY seq").fetchall()]


def faults(con: sqlite3.Connection, kept: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the log; nothing if it is as it was.

    Args:
        con: the control store.
        kept: checkpoints by where they come from; the log's own, and those that went out with deliveries, are
            looked at besides.
    """
    log = "".join(f"{entry}\n" for entry in entries(con)).encode()
    sent = con.execute("SELECT delivery_id, checkpoint FROM outbox ORDER BY delivery_id").fetchall()
    known = {
        "the log's own": checkpoint(con),
        **{f"delivery {delivery_id}": text for delivery_id, text in sent},
        **kept,
    }
    distinct = {text: name for name, text in reversed(known.items())}
    found = verify_log.check_logs(log, list(distinct))
    return [f"{name}: {said}" for name, wrong in zip(distinct.values(), found, strict=True) for said in wrong]


@dataclass(frozen=True)
class Proof:
    """That an entry stands in the log of a checkpoint, for `reports.handed_out.verify_log` to check.

    ``path``: hashes from the leaf to the root, base64.
    """

    entry: str
    index: int
    path: list[str]
    checkpoint: str

    def text(self) -> str:
        """Return it as the JSON text that goes out."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


def proof(log: Sequence[str], index: int) -> Proof:
    """Return the proof of one entry of a log that ends with the last of these entries.

    Raises:
        ValueError: there is no such entry.
    """
    leaves = [entry.encode() for entry in log]
    nodes = [base64.b64encode(node).decode() for node in path(leaves, index)]
    return Proof(log[index], index, nodes, checkpoint_text(len(leaves), tree_hash(leaves)))


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root (RFC 6962, section 2.1.1), the nearest first.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"the log has {len(leaves)} entries, numbered from 0; there is none {index}")
    level = [leaf_hash(leaf) for leaf in leaves]
    found = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            found.append(level[index ^ 1])
        level = _above(level)
        index //= 2
    return found


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves (RFC 6962, section 2.1)."""
    return verify_log.root_of(list(leaves))


def _above(level: list[bytes]) -> list[bytes]:
    # An odd last node moves up unchanged; this equals the recursive split at a power of two.
    paired = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return paired + level[len(paired) * 2 :]


def _size(con: sqlite3.Connection) -> int:
    return int(con.execute("SELECT coalesce(max(seq), -1) + 1 FROM audit").fetchall()[0][0])


def _edge(con: sqlite3.Connection, size: int) -> dict[int, bytes]:
    """Return the roots of the full trees that the log is made of, by height; rebuilt where a store has none."""
    found = dict(map(tuple, con.execute("SELECT level, hash FROM audit_edge").fetchall()))
    if sum(1 << level for level in found) == size:
        return found
    leaves = [body.encode() for body in entries(con)]
    con.execute("DELETE FROM audit_edge")
    found, start = {}, 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found[level] = tree_hash(leaves[start : start + (1 << level)])
            start += 1 << level
    con.executemany("INSERT INTO audit_edge (level, hash) VALUES (?, ?)", sorted(found.items()))
    return found
