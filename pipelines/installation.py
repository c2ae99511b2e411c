"""Is this the whole installation? Its secret key is the one that made its tokens, its control store is not a new one.

An installation without its key or its control store must not run as if it were new: sealed names would be lost, and
everything would be sent a second time.
"""

from __future__ import annotations

from pipelines import vault
from pipelines.settings import Damaged, Home
from pipelines.store import Store


def secret_key(home: Home, store: Store) -> bytes:
    """Return the key with which this installation makes its tokens; it is made before the first file is taken in.

    Raises:
        Damaged: the key is gone or is another one, or the control store is not the one of these files.
        PermissionError: others may read the key file.
        ValueError: the file does not hold a key.
    """
    known = store.rows("SELECT key_id, key_path FROM installation")
    if known:
        if not home.key.exists():
            raise Damaged(_no_key(home, known[0]["key_id"], known[0]["key_path"]))
        key = vault.load_key(home.key)
        if vault.key_id(key) != known[0]["key_id"]:
            raise Damaged(
                f"{home.key} holds the key {vault.key_id(key)}, but this installation was made with"
                f" {known[0]['key_id']}, which lay in {known[0]['key_path']}. {_REMEDY}"
            )
        return key
    return _first_key(home, store)


def _first_key(home: Home, store: Store) -> bytes:
    """Return the key of an installation that has not noted it yet: a new one, or one from before keys were noted."""
    files = store.rows("SELECT count(*) AS files, count(bronze) AS read FROM file")[0]
    if not files["files"] and home.has_raw_files():
        raise Damaged(home.lost_store())
    if files["read"] and not home.key.exists():
        raise Damaged(_no_key(home, "of its tokens", "its old place"))
    if not home.key.exists():
        vault.make_key(home.key)
    key = vault.load_key(home.key)
    if not vault.opens(home.vault, key):
        raise Damaged(f"{home.key} holds another key than the one that sealed {home.vault}. {_REMEDY}")
    with store.transaction() as con:
        con.execute(
            "INSERT OR IGNORE INTO installation (one, key_id, key_path) VALUES (1, ?, ?)",
            (vault.key_id(key), str(home.key)),
        )
    return key


_REMEDY = (
    "Copy the right key there from its backup, or name its file in BIDWATCH_KEY. With another key every person,"
    " phone and account would become a stranger and old alerts would go out again."
)


def _no_key(home: Home, key_id: str, key_path: str) -> str:
    return (
        f"the secret key {key_id} of this installation is not in {home.key} (was the home moved, restored, or opened"
        f" by another user?); it lay in {key_path}. {_REMEDY}"
    )
