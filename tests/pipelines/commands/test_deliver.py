import csv
import io
import json
from datetime import date

import pytest
from typer.testing import CliRunner

from detectors import registry
from pipelines import publishing, settings
from pipelines.casework import suppressions
from pipelines.casework.cases import opening
from pipelines.commands import deliver, labels, suppress
from pipelines.findings import outbox
from pipelines.findings.matters import Kind, Matter
from pipelines.findings.routing import LotFacts, load_division
from pipelines.findings.signals import Signal, fingerprint
from pipelines.store import opened
from reports.alert_list import Alert

AT = "2026-06-30T02:00:00+00:00"


@pytest.fixture
def home(tmp_path):
    """A home after two nights. The second brought 30 new signals, too many to be sent without a look."""
    where = settings.Home(tmp_path / "home").prepare()
    detectors = [each for each in registry.load() if each.id == "contacts.deposit_account"]
    signals = [signal(f"L{number:03}") for number in range(31)]
    with opened(where.control) as store:
        for as_of, shown in ((date(2026, 6, 29), signals[:1]), (date(2026, 6, 30), signals)):
            lots = [
                LotFacts(
                    lot_id=each.lot_id,
                    project_type="A01",
                    region_code=None,
                    supervisor_code=None,
                    supervisor_name=None,
                )
                for each in shown
            ]
            rows = {each.fp: row(each) for each in shown}
            prepared = outbox.prepare(
                store,
                shown,
                rows,
                Facts(lots),
                detectors,
                as_of,
                load_division(store.reference),
                suppressions.agreed(store),
            )
            with store.transaction() as con:
                con.execute("INSERT INTO snapshot VALUES (?, ?, '{}', '', ?)", (str(as_of), str(as_of), AT))
                con.execute("INSERT OR REPLACE INTO current (one, snapshot) VALUES (1, ?)", (str(as_of),))
                matters = [
                    Matter(
                        Kind.LOT,
                        each.lot_id,
                        each.entities,
                        each.lots,
                        (each.fp,),
                        1.0,
                        None,
                        {"families": {}},
                    )
                    for each in shown
                ]
                cases = opening.assign(con, matters, str(as_of))
                known = {each.id: each for each in detectors}
                new = publishing._write_signals(
                    con, shown, cases, dict.fromkeys(cases, 1.0), known, str(as_of), as_of
                )
                held = outbox.brake(store, as_of, new)
                outbox.enqueue(con, prepared, str(as_of), as_of, at=AT, actor="night", held=held)
                done = publishing.Night(str(as_of), "published", str(as_of), new_signals=new, held=held)
                publishing._write_night(con, done, AT)
            outbox.write(where, store)
    return where


class Facts:
    def __init__(self, lots):
        self.lots = lots

    def for_routing(self):
        return self.lots


def signal(lot):
    return Signal(
        fingerprint("contacts.deposit_account", 1, lot, ["A", "B"]),
        "contacts.deposit_account",
        1,
        lot,
        lot,
        ("A", "B"),
        {},
        (),
    )


def row(signal):
    empty = dict.fromkeys(Alert.__dataclass_fields__)
    texts = dict.fromkeys(
        (
            "level",
            "family",
            "finding_zh",
            "legal_zh",
            "key_facts_zh",
            "grade",
            "source_zh",
            "suggestion_zh",
            "state_zh",
            "conclusion_zh",
            "reviewer",
            "note",
        ),
        "",
    )
    known = {
        "alert_id": signal.fp,
        "detector": signal.detector,
        "lot_id": signal.lot_id,
        "party_names": ("甲", "乙"),
        "party_codes": ("", ""),
        "alerted_at": date(2026, 6, 30),
    }
    return Alert(**(empty | texts | known))


@pytest.fixture
def bidwatch(home):
    groups = {"deliver": deliver.app, "suppress": suppress.app, "labels": labels.app}

    def run(group, *args, code=0, fails=None):
        where = [] if args[0] == "verify" else ["--home", str(home.root)]
        result = CliRunner().invoke(groups[group], [*map(str, args), *where])
        if fails is not None:
            assert fails in str(result.exception)
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        else:
            assert result.exit_code == code, result.output
        return result

    return run


def deliveries(bidwatch, *more):
    return json.loads(bidwatch("deliver", "list", "--format", "json", "--as-of", "2026-06-30", *more).stdout)


def test_a_held_night_from_the_list_to_its_release(home, bidwatch):
    assert [each["state"] for each in deliveries(bidwatch)] == ["held", "held", "written", "written"]
    listed = bidwatch("deliver", "list", "--as-of", "2026-06-30")
    assert "新增30>20" in listed.stdout
    assert "deliver release" in listed.stderr
    done = bidwatch("deliver", "release", "--reason", "新数据源", "--actor", "张三")
    assert len(done.stdout.split()) == 2
    assert {each["state"] for each in deliveries(bidwatch)} == {"written"}
    assert bidwatch("deliver", "verify", next((home.outbox / "housing").glob("2026-06-30*"))).exit_code == 0


def test_a_listing_fits_a_hundred_columns_in_both_languages(bidwatch):
    bidwatch(
        "suppress",
        "add",
        "--lot",
        "L001",
        "--code",
        "data_error",
        "--reason",
        "数据有误，已通知交易中心更正",
        "--until",
        "2026-07-30",
        "--as-of",
        "2026-07-01",
    )
    for lang in ("zh", "en"):
        for words in (("deliver", "list"), ("suppress", "list"), ("suppress", "list", "--signals")):
            text = bidwatch(*words, "--lang", lang, "--as-of", "2026-07-01").stdout
            assert max(sum(1 + (ord(each) > 0x2E80) for each in line) for line in text.splitlines()) <= 100


def test_a_filled_list_comes_back_and_becomes_a_label(home, bidwatch, tmp_path):
    (folder,) = (home.outbox / "housing").iterdir()
    rows = list(csv.reader(io.StringIO((folder / "alerts.csv").read_text(encoding="utf-8-sig"))))
    rows[1][rows[0].index("核查结论")] = "属实"
    back = tmp_path / "反馈.csv"
    with back.open("w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    words = ("deliver", "receipt", back, "--as-of", "2026-07-02", "--actor", "张三", "--key", "k")
    assert "已采纳 1" in bidwatch(*words).stderr
    assert "1 taken" in bidwatch(*words, "--lang", "en").stderr
    state = {each["delivery_id"]: each["state"] for each in deliveries(bidwatch, "--as-of", "2026-07-02")}
    assert state[folder.name.split("_")[1]] == "answered"
    exported = list(csv.DictReader(io.StringIO(bidwatch("labels", "export", "--as-of", "2026-07-02").stdout)))
    assert [(each["alert_id"], each["label"], each["said_by"]) for each in exported] == [
        (signal("L000").fp, "confirmed", "housing")
    ]
    assert bidwatch("labels", "export", "--as-of", "2026-07-01").stdout.count("\n") == 1


def test_a_list_with_refused_rows_says_so_and_ends_with_one(home, bidwatch, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        f"预警编号,核查结论\n{signal('L000').fp},大概\nSBBBBBBBBBBBBBBBB,属实\n", encoding="utf-8"
    )
    told = bidwatch("deliver", "receipt", path, "--as-of", "2026-07-02", code=1)
    assert "退回 2" in told.stderr
    assert "没有此预警编号" in told.stdout.replace("\n", "")
    english = bidwatch("deliver", "receipt", path, "--as-of", "2026-07-02", "--lang", "en", code=1)
    assert "2 refused" in english.stderr
    bidwatch("deliver", "receipt", tmp_path / "none.csv", fails="no file")


def test_a_suppression_from_its_start_to_its_end(bidwatch):
    given = ("--lot", "L001", "--code", "lawful_explained", "--reason", "同一造价软件", "--actor", "张三")
    words = ("suppress", "add", *given, "--until", "2026-07-10", "--as-of", "2026-07-01", "--key", "k1")
    made = bidwatch(*words, "--lang", "en")
    assert made.stdout.strip() == "1"
    assert "holds back 1 of the current signals until 2026-07-10" in made.stderr.replace("\n", " ")
    (held,) = json.loads(
        bidwatch("suppress", "list", "--signals", "--format", "json", "--as-of", "2026-07-02").stdout
    )
    assert (held["alert"], held["suppressed_until"]) == (signal("L001").fp, "2026-07-10")
    bidwatch("suppress", "end", "1", "--reason", "解释不成立", "--as-of", "2026-07-03", "--actor", "张三")
    assert json.loads(bidwatch("suppress", "list", "--format", "json", "--as-of", "2026-07-03").stdout) == []
    assert len(json.loads(bidwatch("suppress", "list", "--all", "--format", "json").stdout)) == 1
    bidwatch(
        "suppress", "add", *given, "--until", "2027-07-10", "--as-of", "2026-07-01", fails="at the latest"
    )
    bidwatch("suppress", "add", *given, "--detector", "x", "--until", "2026-07-10", fails="no detector 'x'")
    lotless = ("--code", "data_error", "--reason", "r", "--until", "2026-07-10", "--as-of", "2026-07-01")
    bidwatch("suppress", "add", *lotless, fails="would suppress everything")


def test_a_suppression_from_a_case_is_about_the_lot_of_the_case(home, bidwatch):
    with opened(home.control) as store:
        (case,) = store.rows("SELECT id FROM case_ WHERE scope = 'L005'")
    bidwatch(
        "suppress",
        "add",
        "--case",
        case["id"],
        "--code",
        "data_error",
        "--reason",
        "r",
        "--until",
        "2026-07-10",
        "--as-of",
        "2026-07-01",
    )
    (listed,) = json.loads(bidwatch("suppress", "list", "--format", "json", "--as-of", "2026-07-01").stdout)
    assert listed["lot_id"] == "L005"


def test_a_changed_folder_is_an_integrity_failure(home, bidwatch, tmp_path):
    (folder,) = (home.outbox / "housing").iterdir()
    (folder / "alerts.csv").write_bytes(b"x")
    assert "alerts.csv was changed" in bidwatch("deliver", "verify", folder, code=4).stderr
    bidwatch("deliver", "resend", folder.name.split("_")[1])
    bidwatch("deliver", "verify", folder)
    bidwatch("deliver", "verify", tmp_path, fails="is no delivery")


def test_without_new_results_nothing_is_delivered(bidwatch, monkeypatch):
    monkeypatch.setattr(deliver, "penalties", lambda *_: {})
    assert "无新结果" in bidwatch("deliver", "results", "--as-of", "2026-07-01").stderr
