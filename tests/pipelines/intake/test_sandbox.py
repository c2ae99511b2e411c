import os
import socket
import textwrap
from pathlib import Path

import pytest

from pipelines.intake import sandbox, sandbox_server
from pipelines.intake.bronze import Job
from pipelines.intake.sandbox import Sandbox

MAPPING = """
    title = "t"
    country = "CN"
    time_zone = "Asia/Shanghai"
    [[file]]
    match = ["*.csv"]
    format = "delimited"
    [[record]]
    section = "rows"
    table = "lots"
    [record.columns]
    lot_id = { from = ["lot"] }
"""


@pytest.fixture
def job(tmp_path):
    (tmp_path / "sender.toml").write_text(textwrap.dedent(MAPPING), encoding="utf-8")

    def make(content, name="lots.csv"):
        raw = tmp_path / f"raw-{len(list(tmp_path.iterdir()))}"
        raw.write_bytes(content)
        out = tmp_path / f"out-{raw.name}"
        out.mkdir()
        return Job(str(raw), "00" * 32, name, str(tmp_path / "sender.toml"), str(out), "42" * 32)

    return make


def test_one_server_reads_many_files_and_a_dead_child_costs_only_its_file(job, monkeypatch):
    with Sandbox() as readers:
        good = job(b"lot,n\nL1,a\nL2,b\n")
        assert readers.read(good).records == 2
        gone = job(b"lot,n\nL1,a\n")
        Path(gone.mapping).rename(Path(gone.mapping).with_suffix(".away"))
        stopped = readers.read(gone)
        assert (stopped.state, stopped.code) == ("refused", "READER_STOPPED")
        assert (Path(gone.out) / "fault.txt").read_text().startswith("Traceback")
        Path(gone.mapping).with_suffix(".away").rename(gone.mapping)
        assert readers.read(job(b"lot,n\nL3,c\n")).records == 1


def test_a_child_that_wants_too_much_memory_is_stopped_and_said_so(job, monkeypatch):
    code = "import pipelines.intake.sandbox_server as s, sys; s.MEMORY_BYTES = 200 << 20; s.serve(sys.stdin, sys.stdout)"
    with monkeypatch.context() as patch, Sandbox() as readers:
        start = sandbox.subprocess.Popen
        patch.setattr(sandbox.subprocess, "Popen", lambda words, **kw: start([words[0], "-c", code], **kw))
        report = readers.read(job(b"lot,n\nL1,a\n"))
    assert report.state == "refused"
    assert report.code == "READER_STOPPED"


def test_a_child_has_no_network():
    if not sandbox_server.can_leave_the_network():
        pytest.skip("this system does not allow network namespaces")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    child = os.fork()
    if child == 0:
        sandbox_server.leave_the_network()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    listener.close()


def test_records_are_looked_up_as_delivered(job):
    asked = job("lot,名称\nL1,甲\nL2,乙\n".encode())
    with Sandbox() as readers:
        found = readers.look_up(
            sandbox.Lookup(asked.raw, asked.file_name, asked.mapping, [("rows", 3), ("rows", 2)])
        )
    assert found == [{"lot": "L2", "名称": "乙"}, {"lot": "L1", "名称": "甲"}]
