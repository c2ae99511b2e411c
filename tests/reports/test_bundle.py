import hashlib
import json
import shutil
import subprocess

import pytest

import reports.bundle
from reports.alert_list import COLUMNS, FORMAT_VERSION
from reports.bundle import DetectorVersion, ManifestFacts, bundle, delivery_id_of

FACTS = ManifestFacts(
    name_zh="住房和城乡建设局",
    snapshot="0123456789abcdef",
    detectors={
        "contacts.same_payer_account": DetectorVersion("code00000001", "limits000001"),
        "prices.silent": DetectorVersion("code00000002", "limits000002"),
    },
    checkpoint="bidwatch.example\n7\nAAAA\n",
)


def record(alert_id, ev_hash="e1"):
    return {
        "alert_id": alert_id,
        "lot_id": "L1",
        "detector": "contacts.same_payer_account",
        "ev_hash": ev_hash,
    }


@pytest.fixture
def delivery(alert):
    alerts = [alert(), alert(alert_id="SB")]
    return bundle("housing", alerts, [record(row.alert_id) for row in alerts], FACTS, FORMAT_VERSION)


def test_a_delivery_holds_exactly_the_agreed_files(delivery):
    assert set(delivery) == {
        "alerts.csv",
        "alerts.xlsx",
        "alerts.jsonl",
        "MANIFEST.json",
        "SHA256SUMS",
        "SM3SUMS",
        "CHECKPOINT",
    }


def test_the_manifest_says_what_the_delivery_is_and_where_it_comes_from(delivery):
    manifest = json.loads(delivery["MANIFEST.json"])
    assert manifest["delivery_id"] == delivery_id_of(
        "housing", FORMAT_VERSION, [("SB", "e1"), ("SAAAAAAAAAAAAAAAA", "e1")]
    )
    assert (manifest["recipient"], manifest["name_zh"]) == ("housing", "住房和城乡建设局")
    assert manifest["rows"] == 2
    assert manifest["columns"] == [column.header_zh for column in COLUMNS]
    assert manifest["snapshot"] == "0123456789abcdef"
    assert manifest["supersedes"] is None
    assert manifest["detectors"] == {
        "contacts.same_payer_account": {"version": "code00000001", "limits_version": "limits000001"}
    }
    assert manifest["checkpoint"].encode() == delivery["CHECKPOINT"]
    for name in ("alerts.csv", "alerts.xlsx", "alerts.jsonl", "CHECKPOINT"):
        assert manifest["files"][name] == {
            "bytes": len(delivery[name]),
            "sha256": hashlib.sha256(delivery[name]).hexdigest(),
            "sm3": hashlib.new("sm3", delivery[name]).hexdigest(),
        }


@pytest.mark.parametrize(
    "command", [["sha256sum", "-c", "SHA256SUMS"], ["cksum", "-a", "sm3", "-c", "SM3SUMS"]]
)
def test_standard_tools_check_the_sums(delivery, tmp_path, command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    for name, content in delivery.items():
        (tmp_path / name).write_bytes(content)
    whole = subprocess.run([*command, "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.count("OK") == 5
    (tmp_path / "alerts.csv").write_bytes(delivery["alerts.csv"] + b" ")
    changed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert changed.returncode == 1


def test_sm3_is_the_national_algorithm(delivery):
    # GB/T 32905 gives this value for "abc"; it checks the OpenSSL in use.
    assert hashlib.new("sm3", b"abc").hexdigest() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


def test_the_same_alerts_in_any_order_are_the_same_delivery(alert, delivery):
    alerts = [alert(alert_id="SB"), alert()]
    records = [record("SAAAAAAAAAAAAAAAA"), record("SB")]
    assert bundle("housing", alerts, records, FACTS, FORMAT_VERSION) == delivery


def test_a_delivery_id_changes_only_with_the_recipient_the_layout_and_the_evidence():
    same = delivery_id_of("housing", "1", [("S1", "e1"), ("S2", "e2")])
    assert same == delivery_id_of("housing", "1", [("S2", "e2"), ("S1", "e1")])
    assert len(same) == 16
    others = {
        delivery_id_of("water", "1", [("S1", "e1"), ("S2", "e2")]),
        delivery_id_of("housing", "2", [("S1", "e1"), ("S2", "e2")]),
        delivery_id_of("housing", "1", [("S1", "e1"), ("S2", "e3")]),
        delivery_id_of("housing", "1", [("S1", "e1")]),
    }
    assert len(others) == 4
    assert same not in others


def test_a_list_without_its_exact_record_is_refused(alert):
    with pytest.raises(ValueError, match=r"SAAAAAAAAAAAAAAAA is missing in alerts\.jsonl"):
        bundle("housing", [alert()], [], FACTS, FORMAT_VERSION)


def test_an_alert_of_a_detector_without_a_version_is_refused(alert):
    with pytest.raises(ValueError, match=r"prices\.unknown: no version given"):
        bundle("housing", [alert(detector="prices.unknown")], [record("SAAAAAAAAAAAAAAAA")], FACTS, "1")


def test_a_python_without_sm3_is_told_what_to_do(alert, monkeypatch):
    real = hashlib.new

    def without_sm3(name, *rest):
        if name == "sm3":
            raise ValueError("unsupported hash type sm3")
        return real(name, *rest)

    monkeypatch.setattr(reports.bundle.hashlib, "new", without_sm3)
    with pytest.raises(RuntimeError, match="OpenSSL has no sm3"):
        bundle("housing", [alert()], [record("SAAAAAAAAAAAAAAAA")], FACTS, FORMAT_VERSION)
