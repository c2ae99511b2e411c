"""A night over OCDS in every shape in which it is published, by the command."""

import gzip
import json

import pyarrow as pa
import pytest
from command_line import bidwatch

from pipelines import duck, settings
from pipelines.store import opened


def release(number, **more):
    """A process with two bids, one of them awarded; firms are numbered anew in each."""
    firms = [
        {"id": at, "name": f"{name} {number}"} for at, name in (("1", "Northern Works"), ("2", "Bravo Ltd"))
    ]
    return {
        "ocid": f"ocds-{number}",
        "id": "1",
        "date": "2026-03-20T00:00:00Z",
        "buyer": {"id": "B", "name": "Works Office"},
        "tender": {
            "id": number,
            "title": f"Road {number}",
            "status": "complete",
            "tenderPeriod": {"endDate": "2026-03-01T09:00:00Z"},
        },
        "bids": {
            "details": [
                {"id": one["id"], "value": {"amount": 1000, "currency": "USD"}, "tenderers": [one]}
                for one in firms
            ]
        },
        "awards": [{"id": "a", "status": "active", "date": "2026-01-10", "suppliers": firms[:1]}],
    } | more


def lines(*releases):
    return "".join(json.dumps(one) + "\n" for one in releases).encode()


def pretty(*releases):
    return json.dumps({"uri": "x", "version": "1.1", "releases": releases}, indent=2).encode()


FILES = {
    "array.json": json.dumps([release("array"), release("array2")]).encode(),
    "package.json": pretty(release("package")),
    "packages.json": pretty(release("first")) + b"\n" + pretty(release("second")),
    "records.json": json.dumps(
        {
            "records": [
                {"ocid": "ocds-record", "releases": [{"url": "x"}], "compiledRelease": release("record")}
            ]
        }
    ).encode(),
    "lines.jsonl": lines(release("line"), release("line2")),
    "lines.jsonl.gz": gzip.compress(lines(release("gzip"))),
    "package.json.zst": pa.compress(pretty(release("zstd")), codec="zstd", asbytes=True),
    "undated.json": pretty(release("u", date=None), release("u", date=None)),
}
PROCESSES = {"array", "array2", "package", "first", "second", "record", "line", "line2", "gzip", "zstd"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ocds")
    inbox = folder / "inbox" / "ocds"
    inbox.mkdir(parents=True)
    for name, content in FILES.items():
        (inbox / name).write_bytes(content)
    done = bidwatch(
        "nightly",
        "--home",
        folder / "home",
        "--inbox",
        inbox.parent,
        "--as-of",
        "2026-06-30",
        key=folder / "key",
    )
    return settings.Home(folder / "home"), done


def test_every_shape_is_loaded_whole(ran):
    home, done = ran
    with opened(home.control) as store:
        states = {
            row["name"]: (row["state"], row["code"])
            for row in store.rows("SELECT name, state, code FROM file")
        }
        snapshot = store.published_snapshot()
    assert states.pop("undated.json") == ("refused", "NO_RELEASE_DATES")
    assert {state for state, _ in states.values()} == {"loaded"}, (states, done.stderr)
    con = duck.open_snapshot(home.snapshot(snapshot))
    winners = con.execute("SELECT lot_id, bidder_id FROM core.bids WHERE is_winner").fetchall()
    con.close()
    # Ten firms with the id 1 are ten firms.
    assert set(winners) == {(f"ocds-{one}/", f"name:NORTHERNWORKS{one.upper()}") for one in PROCESSES}


def test_the_page_says_what_does_not_fit_and_which_ids_link_nobody(ran):
    [page] = [path.read_text(encoding="utf-8") for path in ran[0].reports.glob("night_*.html")]
    assert "lines.jsonl: 内容不一致 / incoherent: 中标早于投标截止，2 处" in page
    assert "2 codes carry unrelated names" in page
