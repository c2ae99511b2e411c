"""The deployment on a real Prefect server: it is scheduled, and a worker runs it to the end."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy
from places import REPO
from sample_night import SMALL, deliver

pytestmark = [pytest.mark.slow, pytest.mark.trial]

PREFECT = Path(sys.executable).with_name("prefect")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "BIDWATCH_KEY": str(folder / "key"),
        "NO_COLOR": "1",
    }
    log = (folder / "server.log").open("w")
    started = subprocess.Popen(
        [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=env,
        stdout=log,
        stderr=log,
    )
    try:
        eventually(lambda: ask(env, "GET", "/health"), seconds=180)
        command(env, "work-pool", "create", "nightly", "--type", "process")
        command(env, "deploy", "--all")
        yield env
    finally:
        stop(started)


def test_sqlalchemy_is_pinned_to_a_version_with_which_schedules_fire():
    # With SQLAlchemy 2.1 the Prefect server looks healthy, deploys, and never creates a scheduled run.
    assert sqlalchemy.__version__.startswith("2.0.")


def test_a_run_is_scheduled_at_two_in_the_morning(server):
    runs = eventually(
        lambda: ask(server, "POST", "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC"}), seconds=180
    )
    assert {run["state_name"] for run in runs} == {"Scheduled"}
    due = datetime.fromisoformat(runs[0]["expected_start_time"]) + timedelta(hours=8)
    assert (due.hour, due.minute) == (2, 0)


def test_a_worker_runs_the_deployed_night_to_the_end(server, tmp_path):
    home = tmp_path / "home"
    deliver(SMALL, home / "inbox")
    worker = subprocess.Popen(
        [PREFECT, "worker", "start", "--pool", "nightly"],
        env=server,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        said = command(
            server,
            "deployment",
            "run",
            "nightly/nightly",
            "-p",
            f"home={home}",
            "-p",
            "as_of=2026-06-30",
            "--watch",
            "--watch-timeout",
            "300",
        )
    finally:
        stop(worker)
    assert "finished successfully" in said
    assert list((home / "outbox").glob("*/*/alerts.xlsx"))
    artifacts = ask(server, "POST", "/artifacts/filter", {})
    assert {artifact["type"] for artifact in artifacts} >= {"table", "markdown", "progress"}
    table = next(artifact for artifact in artifacts if artifact["type"] == "table")
    assert any(row["flagged"] for row in json.loads(table["data"]))


def stop(process):
    """End a Prefect process; on a busy machine it may be slow to hear."""
    process.terminate()
    try:
        process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def command(env, *words):
    done = subprocess.run(
        [PREFECT, "--no-prompt", *words], env=env, cwd=REPO, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ask(env, method, path, body=None):
    request = urllib.request.Request(
        env["PREFECT_API_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def eventually(what, seconds):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(1)
