import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipelines import audit
from pipelines.commands.audit import app
from pipelines.store import opened

AT = "2026-06-30T02:00:00+00:00"


@pytest.fixture
def home(tmp_path):
    """An installation whose log has five entries."""
    (tmp_path / "home").mkdir()
    with opened(tmp_path / "home" / "control.sqlite") as store:
        for number in range(5):
            with store.transaction() as con:
                audit.append(con, at=AT, actor="张三", verb="take", subject=f"C{number}")
    return tmp_path / "home"


def run(home, *arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--home", str(home)], catch_exceptions=False)


def test_an_honest_log_passes(home, tmp_path):
    (tmp_path / "CHECKPOINT").write_text(run(home, "checkpoint").output, encoding="utf-8")
    checked = run(home, "verify", "--kept", tmp_path / "CHECKPOINT")
    assert (checked.exit_code, "5 entries" in checked.output) == (0, True)


def test_a_log_that_was_rewritten_whole_fails_by_the_kept_checkpoint(home, tmp_path):
    (tmp_path / "CHECKPOINT").write_text(run(home, "checkpoint").output, encoding="utf-8")
    with opened(home / "control.sqlite") as store:
        store.con.execute("DROP TRIGGER audit_is_never_changed")
        store.con.execute("UPDATE audit SET body = replace(body, '张三', '李四')")
        store.con.execute("DELETE FROM audit_edge")
    assert run(home, "verify").exit_code == 0
    assert run(home, "verify", "--kept", tmp_path / "CHECKPOINT").exit_code == 4


def test_an_entry_that_was_changed_fails_without_a_kept_checkpoint_too(home):
    with opened(home / "control.sqlite") as store:
        store.con.execute("DROP TRIGGER audit_is_never_changed")
        store.con.execute("UPDATE audit SET body = replace(body, '张三', '李四') WHERE seq = 2")
    assert run(home, "verify").exit_code == 4


def test_a_proof_can_be_checked_without_seeing_anything_else(home, tmp_path):
    assert run(home, "prove", 3, "--to", tmp_path / "proof").exit_code == 0
    (tmp_path / "CHECKPOINT").write_text(run(home, "checkpoint").output, encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-I", "verify_log.py", "entry", "proof.json", "../CHECKPOINT"],
        cwd=tmp_path / "proof",
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"object":"C3"' in checked.stdout
    assert "C2" not in checked.stdout


def test_the_log_is_handed_out_once_to_a_file(home, tmp_path):
    run(home, "export", tmp_path / "log")
    assert len((tmp_path / "log").read_text(encoding="utf-8").splitlines()) == 5
    with pytest.raises(FileExistsError):
        run(home, "export", tmp_path / "log")


def test_entries_are_listed_by_what_they_are_about(home):
    assert run(home, "list", "--about", "C4", "--format", "csv").output.count("张三") == 1
