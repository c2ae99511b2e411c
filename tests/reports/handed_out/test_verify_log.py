import base64
import json
import random
import subprocess
import sys

import pytest
from places import REPO

from pipelines import audit
from pipelines.store import opened
from reports.canonical_json import canonical_json
from reports.handed_out.verify_log import check_entry, check_log, check_proof, root_of

SCRIPT = REPO / "reports" / "handed_out" / "verify_log.py"
AT = "2026-06-30T02:00:00+00:00"


def made(path, entries):
    """The entries and the checkpoint of a log as the store keeps it."""
    with opened(path / "control.sqlite") as store:
        with store.transaction() as con:
            for number in range(entries):
                audit.append(con, at=AT, actor="张三", verb="take", subject=f"C{number}", rev=number)
        return audit.entries(store.con), audit.checkpoint(store.con)


def as_file(entries):
    return "".join(f"{entry}\n" for entry in entries).encode()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return made(tmp_path_factory.mktemp("log"), 77)


def changed(entries, rng):
    """The log after one of the things that somebody may do to it."""
    entries = list(entries)
    at, other = rng.sample(range(len(entries)), 2)
    match rng.choice(("edit", "rewrite", "delete", "insert", "swap", "truncate", "renumber")):
        case "edit":
            place = rng.randrange(len(entries[at]))
            entries[at] = entries[at][:place] + chr(ord(entries[at][place]) ^ 1) + entries[at][place + 1 :]
        case "rewrite":
            said = json.loads(entries[at])
            entries[at] = canonical_json(said | {"actor": "李四"})
        case "delete":
            del entries[at]
        case "insert":
            entries.insert(at, entries[other])
        case "swap":
            entries[at], entries[other] = entries[other], entries[at]
        case "truncate":
            del entries[at:]
        case "renumber":
            del entries[at]
            entries = [canonical_json(json.loads(entry) | {"seq": seq}) for seq, entry in enumerate(entries)]
    return entries


def test_with_a_kept_checkpoint_every_one_of_a_thousand_changes_is_found(log):
    entries, checkpoint = log
    rng = random.Random(1)
    for _ in range(1000):
        assert check_log(as_file(changed(entries, rng)), checkpoint) != []


def test_a_thousand_honest_logs_pass(log):
    entries, _ = log
    for size in range(1000):
        some = [
            entries[number % 77].replace(f'"seq":{number % 77}', f'"seq":{number}')
            for number in range(size % 200)
        ]
        root = audit.tree_hash([entry.encode() for entry in some])
        assert check_log(as_file(some), audit.checkpoint_text(len(some), root)) == []


def test_a_log_that_grew_since_still_agrees_with_an_older_checkpoint(log, tmp_path):
    entries, _ = log
    older = audit.checkpoint_text(40, root_of([entry.encode() for entry in entries[:40]]))
    assert check_log(as_file(entries), older) == []


def test_a_log_rewritten_whole_agrees_with_itself_and_not_with_the_kept_checkpoint(log):
    """The owner of the store can do this: hence the checkpoint in every delivery."""
    entries, checkpoint = log
    forged = [canonical_json(json.loads(entry) | {"actor": "李四"}) for entry in entries]
    own = audit.checkpoint_text(len(forged), root_of([entry.encode() for entry in forged]))
    assert check_log(as_file(forged), own) == []
    assert check_log(as_file(forged), checkpoint) != []


def proof_of(entries, index, checkpoint):
    path = audit.path([entry.encode() for entry in entries], index)
    return {
        "entry": entries[index],
        "index": index,
        "path": [base64.b64encode(node).decode() for node in path],
        "checkpoint": checkpoint,
    }


def test_every_entry_can_be_proved_without_the_others(log):
    entries, checkpoint = log
    for index, entry in enumerate(entries):
        assert check_proof(json.dumps(proof_of(entries, index, checkpoint)), checkpoint) == (entry, [])


def test_a_thousand_forged_proofs_are_refused(log):
    entries, checkpoint = log
    rng = random.Random(2)
    for _ in range(1000):
        index = rng.randrange(len(entries))
        proof = proof_of(entries, index, checkpoint)
        match rng.choice(("entry", "index", "path", "short", "long", "order")):
            case "entry":
                proof["entry"] = canonical_json(json.loads(proof["entry"]) | {"actor": "李四"})
            case "index":
                proof["index"] = rng.choice([-1, 77, 10**6, *(n for n in range(77) if n != index)])
            case "path":
                at = rng.randrange(len(proof["path"]))
                proof["path"][at] = base64.b64encode(rng.randbytes(32)).decode()
            case "short":
                proof["path"].pop(rng.randrange(len(proof["path"])))
            case "long":
                proof["path"].insert(rng.randrange(8), base64.b64encode(rng.randbytes(32)).decode())
            case "order":
                if len(set(proof["path"])) > 1:
                    proof["path"].append(proof["path"].pop(0))
        assert check_proof(json.dumps(proof), checkpoint)[1] != []


def test_a_proof_for_another_checkpoint_is_refused(log):
    entries, checkpoint = log
    older = audit.checkpoint_text(40, root_of([entry.encode() for entry in entries[:40]]))
    proof = proof_of(entries[:40], 3, older)
    assert check_proof(json.dumps(proof))[1] == []
    assert check_proof(json.dumps(proof), checkpoint)[1] != []


def test_an_inner_node_does_not_pass_for_an_entry(log):
    entries = [entry.encode() for entry in log[0][:2]]
    joined = b"".join(audit.path(entries, at)[0] for at in (1, 0))
    assert not check_entry(joined, 0, [], 1, audit.tree_hash(entries))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_outsider_runs_it_with_python_alone(log, tmp_path):
    entries, checkpoint = log
    (tmp_path / "log").write_bytes(as_file(entries))
    (tmp_path / "CHECKPOINT").write_text(checkpoint, encoding="utf-8")
    (tmp_path / "proof").write_text(json.dumps(proof_of(entries, 5, checkpoint)), encoding="utf-8")
    assert run("log", tmp_path / "log", tmp_path / "CHECKPOINT").returncode == 0
    assert '"object":"C5"' in run("entry", tmp_path / "proof", tmp_path / "CHECKPOINT").stdout
    (tmp_path / "log").write_bytes(as_file(entries[:-1]))
    refused = run("log", tmp_path / "log", tmp_path / "CHECKPOINT")
    assert (refused.returncode, "entries are missing" in refused.stdout) == (1, True)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b'{"entry":1}', b"bidwatch/audit\n-1\nAAAA\n"])
def test_a_file_that_is_no_proof_or_no_checkpoint_is_named(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    assert run("entry", tmp_path / "x").returncode == 2
    assert run("log", tmp_path / "x", tmp_path / "x").returncode == 2
    assert "Traceback" not in run("entry", tmp_path / "x").stderr


def test_the_verifier_is_short_enough_to_be_read():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    imports = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imports <= {"__future__", "base64", "hashlib", "json", "sys", "pathlib"}
