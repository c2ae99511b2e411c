"""Check an audit log, or one entry of it, against a checkpoint that was kept.

    python3 verify_log.py log LOG CHECKPOINT      every line of LOG is one entry, in order
    python3 verify_log.py entry PROOF             the checkpoint in PROOF may be compared with a kept one
    python3 verify_log.py entry PROOF CHECKPOINT  the same, and the kept one must be that of the proof

It needs nothing but Python 3.8 or newer, and nobody's word: only the checkpoint, which came with a delivery.
Entries are leaves of a Merkle tree as in RFC 6962, section 2.1: whoever kept a checkpoint can see that no entry
before it was changed, removed, added or moved. Exit code: 0 as it was, 1 not, 2 a file that cannot be read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

ORIGIN = "bidwatch/audit"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry, bytes of its line."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two trees put together."""
    return hashlib.sha256(b"\1" + left + right).digest()


def roots_of(entries: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Return the roots over the first so many entries, bytes each, for several sizes; larger sizes have none."""
    trees: list[tuple[bytes, int]] = []  # roots of full trees, the largest first, with their heights
    found = {0: hashlib.sha256(b"").digest()} if 0 in sizes else {}
    for size, entry in enumerate(entries, 1):
        root, height = leaf_hash(entry), 0
        while trees and trees[-1][1] == height:
            root, height = node_hash(trees.pop()[0], root), height + 1
        trees.append((root, height))
        if size in sizes:
            found[size] = trees[-1][0]
            for left, _ in reversed(trees[:-1]):
                found[size] = node_hash(left, found[size])
    return found


def root_of(entries: list[bytes]) -> bytes:
    """Return the root over entries, bytes each."""
    return roots_of(entries, {len(entries)})[len(entries)]


def read_checkpoint(text: str) -> tuple[int, bytes]:
    """Return size and root of a checkpoint: three lines, origin, size, root in base64."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or lines[0] != ORIGIN or not lines[1].isascii() or not lines[1].isdigit():
        raise ValueError("this is no checkpoint of an audit log")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or str(int(lines[1])) != lines[1]:
        raise ValueError("this is no checkpoint of an audit log")
    return int(lines[1]), root


def check_logs(log: bytes, checkpoints: list[str]) -> list[list[str]]:
    """Say, for each of several kept checkpoints, texts, what is wrong with a log, bytes; empty lists say: nothing."""
    kept = [read_checkpoint(checkpoint) for checkpoint in checkpoints]
    if log and not log.endswith(b"\n"):
        return [["the last line of the log is cut"] for _ in kept]
    entries = log.split(b"\n")[:-1]
    misplaced = []
    for number, entry in enumerate(entries):
        try:
            said = json.loads(entry.decode("utf-8"))["seq"]
        except (ValueError, KeyError, TypeError):
            said = None
        if said != number:
            misplaced.append(f"line {number + 1} should be entry {number} and says {said}")
            break
    roots, wrong = roots_of(entries, {size for size, _ in kept}), []
    for size, root in kept:
        wrong.append(list(misplaced))
        if len(entries) < size:
            wrong[-1].append(
                f"the log has {len(entries)} entries, the checkpoint {size}: entries are missing"
            )
        elif roots[size] != root:
            wrong[-1].append(f"the first {size} entries are not those of the checkpoint: the log was changed")
    return wrong


def check_log(log: bytes, checkpoint: str) -> list[str]:
    """Say what is wrong with a log, bytes, beside one kept checkpoint, text."""
    return check_logs(log, [checkpoint])[0]


def check_entry(entry: bytes, index: int, path: list[bytes], size: int, root: bytes) -> bool:
    """Say whether an entry, bytes, stands at an index of a tree; path: hashes from the leaf to the root."""
    if not 0 <= index < size:
        return False
    node, last, left = leaf_hash(entry), size - 1, list(path)
    while last > 0:
        if index % 2 or index < last:
            if not left:
                return False
            sister = left.pop(0)
            node = node_hash(sister, node) if index % 2 else node_hash(node, sister)
        index, last = index // 2, last // 2
    return not left and node == root


def check_proof(text: str, kept: str | None = None) -> tuple[str, list[str]]:
    """Return the entry that a proof is about and what is wrong with it, as for ``check_log``."""
    proof = json.loads(text)
    if set(proof) != {"entry", "index", "path", "checkpoint"} or not isinstance(proof["index"], int):
        raise ValueError("this is no proof of an entry")
    size, root = read_checkpoint(proof["checkpoint"])
    path = [base64.b64decode(node, validate=True) for node in proof["path"]]
    wrong = []
    if not check_entry(proof["entry"].encode("utf-8"), proof["index"], path, size, root):
        wrong.append("the entry does not stand in the log of this checkpoint")
    if kept is not None and kept != proof["checkpoint"]:
        wrong.append("the proof is for another checkpoint than the kept one")
    return proof["entry"], wrong


def main(arguments: list[str]) -> int:
    """Check what the command line names; return the exit code."""
    try:
        if len(arguments) == 3 and arguments[0] == "log":
            log, checkpoint = Path(arguments[1]).read_bytes(), Path(arguments[2]).read_bytes().decode()
            wrong, about = check_log(log, checkpoint), f"{read_checkpoint(checkpoint)[0]} entries"
        elif len(arguments) in (2, 3) and arguments[0] == "entry":
            kept = Path(arguments[2]).read_bytes().decode() if len(arguments) == 3 else None
            about, wrong = check_proof(Path(arguments[1]).read_bytes().decode(), kept)
        else:
            sys.stderr.write(__doc__)
            return 2
    except (OSError, ValueError, TypeError, AttributeError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    for line in wrong:
        sys.stdout.write(f"NOT AS IT WAS 不一致: {line}\n")
    if not wrong:
        sys.stdout.write(f"as it was 一致: {about}\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
