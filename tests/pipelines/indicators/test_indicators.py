"""`bidwatch indicators`: lines in, JSON out; hostile lines, settings, and real files."""

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import command_line
import pyarrow as pa
import pytest
from places import REAL_DATA

from detectors.ocds.indicators import Limits
from detectors.ocds.reasons import TITLES
from pipelines.commands.indicators import document
from pipelines.indicators import settings as indicator_settings
from pipelines.indicators.reading import compute
from pipelines.indicators.releases import Input, releases
from pipelines.indicators.settings import Preparation

REAL = REAL_DATA / "ocds"

SINGLE = '{"ocid": "%s", "tender": {"procurementMethod": "open", "numberOfTenderers": %s}}'
EQUAL = (
    '{"ocid": "%s", "bids": {"details": ['
    '{"status": "valid", "tenderers": [{"id": "A"}], "value": {"amount": %s, "currency": "CNY"}},'
    '{"status": "valid", "tenderers": [{"id": "B"}], "value": {"amount": %s, "currency": "CNY"}}]}}'
)


def written(tmp_path, *lines):
    path = tmp_path / "releases.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return path


def computed(path, preparation=None, **limits):
    return document(compute([path], Limits(**limits), preparation or Preparation()))


def left_out(path):
    taken = Input()
    with tempfile.TemporaryDirectory() as work:
        used = [(line_of(place), release["ocid"]) for place, release in releases(path, taken, Path(work))]
    return used, [(line_of(one.place), one.code) for one in taken.named]


def line_of(place):
    return int(place.removeprefix("releases.jsonl, line "))


def bidwatch(*words):
    return command_line.bidwatch("indicators", *words)


# --- lines --------------------------------------------------------------------------------------------


def test_lines_that_are_no_release_are_named_and_the_others_count(tmp_path):
    path = written(
        tmp_path,
        SINGLE % ("one", 1),
        "{not json",
        "",
        "42",
        '"text"',
        "null",
        "[]",
        "{}",
        '{"ocid": 7}',
        '{"ocid": ""}',
        SINGLE % ("two", 1) + " {}",
        b'{"ocid": "\xff\xfe"}',
        SINGLE % ("three", 2),
    )
    used, out = left_out(path)
    assert used == [(1, "one"), (13, "three")]
    assert out == [
        (2, "NOT_JSON"),
        *((line, "NOT_AN_OBJECT") for line in (4, 5, 6, 7)),
        *((line, "NO_OCID") for line in (8, 9, 10)),
        (11, "NOT_JSON"),
        (12, "NOT_JSON"),
    ]
    found = computed(path)
    assert found["OCID"] == {"one": {"R018": 1.0}}
    assert found["Input"]["left_out"] == {"NOT_JSON": 3, "NOT_AN_OBJECT": 4, "NO_OCID": 3}
    assert found["Input"]["found"] == 12


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[" * 100_000, "NOT_JSON"),
        ('{"ocid": "x", "a": ' + "[" * 60 + "]" * 60 + "}", "TOO_DEEP"),
        ('{"ocid": "x", "ocid": "y"}', "DUPLICATE_KEY"),
        (r'{"ocid": "\ud800"}', "BROKEN_TEXT"),
        (SINGLE % ("x", 1) + "\0", "NOT_JSON"),
        ('{"ocid": "x", "a": "' + "x" * (17 << 20) + '"}', "LINE_TOO_LONG"),
        ('{"releases": []', "NOT_JSON"),
        ('{"ocid": "x", "releases": [{"url": "http://example.org"}]}', "LINKED_RELEASES"),
    ],
)
def test_hostile_lines_are_left_out_and_the_next_one_counts(tmp_path, line, code):
    path = written(tmp_path, SINGLE % ("before", 1), line, SINGLE % ("after", 1))
    assert left_out(path) == ([(1, "before"), (3, "after")], [(2, code)])


PERIOD = '{"ocid": "%s", "tender": {"tenderPeriod": {"startDate": "%s", "endDate": "%s"}}}'


@pytest.mark.parametrize(
    ("line", "code", "reason", "unused"),
    [
        (PERIOD % ("x", "0001-01-01T00:00:00Z", "2026-03-01T00:00:00Z"), "R003", "PERIOD_UNREADABLE", 1),
        (PERIOD % ("x", "2026-03-01T00:00:00Z", "9999-12-31T23:59:59Z"), "R003", "PERIOD_UNREADABLE", 1),
        (PERIOD % ("x", "1900-01-01T00:00:00+08:00", "9999-12-31T23:59:59Z"), "R003", "PERIOD_UNREADABLE", 2),
        (PERIOD % ("x", "2026-02-30T00:00:00Z", "2026-03-01T00:00:00Z"), "R003", "PERIOD_UNREADABLE", 0),
        (SINGLE % ("x", "NaN"), "R018", "NO_NUMBER_OF_TENDERERS", 1),
        (SINGLE % ("x", "9" * 5_000), "R018", "NO_NUMBER_OF_TENDERERS", 1),
        (SINGLE % ("x", '"1"'), "R018", "NO_NUMBER_OF_TENDERERS", 1),
        (EQUAL % ("x", "-Infinity", "5"), "R028", "FEWER_THAN_TWO_PRICES", 1),
        (EQUAL % ("x", '"5"', "5"), "R028", "FEWER_THAN_TWO_PRICES", 1),
        (EQUAL % ("x", "1e400", "true"), "R028", "FEWER_THAN_TWO_PRICES", 2),
        (
            EQUAL.replace("]}}", ']}, "awards": [{"status": "active", "suppliers": [{"id": "A"}]}]}')
            % ("x", "1e-10", "1e300"),
            "R024",
            "RATIO_TOO_LARGE",
            0,
        ),
    ],
)
def test_a_release_is_judged_without_a_value_that_cannot_be_meant(tmp_path, line, code, reason, unused):
    found = computed(written(tmp_path, line, SINGLE % ("good", 1)))
    assert found["OCID"] == {"good": {"R018": 1.0}}
    assert reason in found["Coverage"][code]["OCID"]["not_computable"]
    assert sum(found["Input"]["values_unused"].values()) == unused
    assert set(found["Input"]["values_unused"]) <= set(found["Reasons"])
    assert found["Input"]["left_out"] == {}


def test_a_fence_beyond_the_largest_number_is_a_number(tmp_path):
    won = EQUAL.replace("]}}", ']}, "awards": [{"status": "active", "suppliers": [{"id": "A"}]}]}')
    found = computed(written(tmp_path, *(won % (f"{n}", "1", f"1e{300 + n}") for n in range(9))))
    assert found["Coverage"]["R058"]["OCID"]["applied"] == 9
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# --- files --------------------------------------------------------------------------------------------


def package(*ocids, indent=None):
    return json.dumps(
        {"uri": "u", "releases": [json.loads(SINGLE % (one, 1)) for one in ocids]}, indent=indent
    )


def records(*ocids, indent=None):
    made = [{"ocid": one, "compiledRelease": json.loads(SINGLE % (one, 1))} for one in ocids]
    return json.dumps({"records": made}, indent=indent)


@pytest.mark.parametrize(
    "text",
    [
        package("a", "b", indent=2),
        records("a", "b", indent=2),
        package("a", indent=2) + package("b", indent=2),
        package("a") + "\n" + records("b") + "\n",
        package("a") + package("b"),
        package("a", indent=1) + "\n" + SINGLE % ("b", 1),
        f"[{SINGLE % ('a', 1)}, {SINGLE % ('b', 1)}]",
        f"[\n{SINGLE % ('a', 1)},\n{SINGLE % ('b', 1)}\n]\n",
        f"[{SINGLE % ('a', 1)}]\n[{SINGLE % ('b', 1)}]\n",
    ],
)
def test_packages_records_and_arrays_are_read_however_they_stand(tmp_path, text):
    assert computed(written(tmp_path, text))["OCID"] == {"a": {"R018": 1.0}, "b": {"R018": 1.0}}


def test_several_files_are_one_and_the_last_release_of_all_counts(tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.jsonl.gz"
    first.write_text(package("a", "b", indent=2), encoding="utf-8")
    second.write_bytes(gzip.compress((SINGLE % ("b", 2)).encode()))
    found = document(compute([first, second], Limits(), Preparation()))
    assert found["OCID"] == {"a": {"R018": 1.0}}
    assert found["Input"]["files"] == ["first.json", "second.jsonl.gz"]
    assert found["Input"]["replaced_releases"] == [
        {"ocid": "b", "place": "first.json, releases[1]", "used_place": "second.jsonl.gz, document"}
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_read(tmp_path, monkeypatch, packed):
    text = package("a", indent=2).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(text) if packed else text)))
    done = bidwatch("-")
    assert (done.returncode, json.loads(done.stdout)["OCID"]) == (0, {"a": {"R018": 1.0}})
    assert "reading standard input" in done.stderr


def test_a_document_that_is_cut_is_refused_with_its_name_and_place(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(package("a", "b", indent=2)[:-20], encoding="utf-8")
    done = bidwatch(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cut.json: character" in done.stderr
    assert "export it again" in done.stderr


def test_a_line_of_ten_megabytes_counts(tmp_path):
    padding = json.dumps(
        {
            "ocid": "long",
            "x": "标" * (3 << 20),
            "tender": {"procurementMethod": "open", "numberOfTenderers": 1},
        },
        ensure_ascii=False,
    )
    assert len(padding.encode()) > 9_000_000
    assert computed(written(tmp_path, padding))["OCID"] == {"long": {"R018": 1.0}}


@pytest.mark.parametrize(
    ("first", "second", "is_equal", "inexact"),
    [
        ("100", "1e2", True, 0),
        ("0.1", "0.100000000000000000000", True, 0),
        ("100000000000000000000", "1e20", True, 0),
        ("0.3", "0.30000000000000004", False, 0),
        ("12345678901234.67", "12345678901234.68", False, 0),
        ("9007199254740993", "9007199254740992", None, 1),  # would be equal by rounding
        ("4503599627370495.1", "4503599627370495.2", None, 2),
        ("1e400", "1e400", None, 2),
        ("1e-400", "0", None, 1),
        ("9" * 999, "9" * 999, None, 2),
    ],
)
def test_prices_are_equal_only_where_their_digits_say_so(tmp_path, first, second, is_equal, inexact):
    found = computed(written(tmp_path, EQUAL % ("x", first, second)), codes=("R028",))
    assert ("x" in found.get("OCID", {})) == (is_equal is True)
    assert found["Coverage"]["R028"]["OCID"]["applied"] == (is_equal is not None)
    assert found["Input"]["values_unused"].get("AMOUNT_INEXACT", 0) == inexact


def test_values_of_the_wrong_kind_are_missing_values(tmp_path):
    path = written(
        tmp_path,
        '{"ocid": "a", "tender": [], "bids": "none", "awards": {"x": 1}, "buyer": "B"}',
        '{"ocid": "b", "tender": {"tenderPeriod": 5, "numberOfTenderers": 1.5, "procurementMethod": ["open"]},'
        ' "bids": {"details": [1, null, "x", {"tenderers": 5, "value": [], "status": {}, "date": 7}]},'
        ' "awards": [3, {"suppliers": [null, "x"], "items": {"classification": {"id": "1"}}, "status": 1}]}',
        r'{"ocid": "c\u0000d", "buyer": {"id": 12}, "bids": {"details": [{"status": "valid", "tenderers": {"id": 3}},'
        r' {"status": "disqualified", "tenderers": [{"id": 3}]}]}}',
    )
    found = computed(path)
    assert found["Input"]["processes"] == 3
    assert found["Buyer"] == {"12": {"R038": 0.5}}
    assert found["Tenderer"] == {"3": {"R038": 0.5}}
    assert "OCID" not in found


def test_the_last_release_of_an_ocid_counts_wherever_it_stands(tmp_path):
    path = written(
        tmp_path,
        SINGLE % ("x", 1),
        SINGLE % ("y", 1),
        SINGLE % ("x", 2),
        EQUAL % ("z", 1, 1),
        SINGLE % ("z", 3),
    )
    found = computed(path)
    assert found["OCID"] == {"y": {"R018": 1.0}}
    assert "Tenderer" not in found
    assert found["Input"]["processes"] == 3
    assert found["Input"]["replaced"] == 2
    assert found["Input"]["replaced_releases"] == [
        {"ocid": "x", "place": "releases.jsonl, line 1", "used_place": "releases.jsonl, line 3"},
        {"ocid": "z", "place": "releases.jsonl, line 4", "used_place": "releases.jsonl, line 5"},
    ]


def test_records_and_packages_are_opened(tmp_path):
    record = '{"ocid": "r", "compiledRelease": %s, "releases": []}' % (SINGLE % ("r", 1))
    package = '{"uri": "u", "releases": [%s, 5]}' % (SINGLE % ("p", 1))
    path = written(tmp_path, record, package, '{"records": [' + record.replace('"r"', '"s"') + "]}")
    assert left_out(path) == ([(1, "r"), (2, "p"), (3, "s")], [(2, "NOT_AN_OBJECT")])


def test_compressed_files_and_byte_order_marks_are_read(tmp_path):
    text = b"\xef\xbb\xbf" + (SINGLE % ("x", 1)).encode() + b"\r\n"
    (tmp_path / "a.jsonl").write_bytes(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text))
    with pa.CompressedOutputStream(str(tmp_path / "a.jsonl.zst"), "zstd") as file:
        file.write(text)
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst"):
        assert computed(tmp_path / name)["OCID"] == {"x": {"R018": 1.0}}
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text)[:-9])
    with pytest.raises(ValueError, match=r"a\.jsonl\.gz: the compressed file is damaged or cut"):
        computed(tmp_path / "a.jsonl.gz")


# --- the result ---------------------------------------------------------------------------------------


def test_the_result_has_the_shape_of_cardinal_and_counts_beside_it(tmp_path):
    found = computed(written(tmp_path, EQUAL % ("x", 5, 5), SINGLE % ("y", 1)))
    assert found["OCID"] == {"x": {"R028": 1.0}, "y": {"R018": 1.0}}
    assert found["Tenderer"] == {"A": {"R028": 1.0}, "B": {"R028": 1.0}}
    assert found["Coverage"]["R018"]["OCID"] == {
        "units": 2,
        "applied": 1,
        "flagged": 1,
        "not_computable": {"METHOD_NOT_CHOSEN": 1},
        "reference": {"applied": 0, "flagged": 0, "too_small": 1},
        "notes": [],
    }
    assert list(found["Coverage"]) == list(TITLES)
    assert set(found["Reasons"]["METHOD_NOT_CHOSEN"]) == {"en", "zh"}
    assert json.loads(json.dumps(found)) == found  # numbers are numbers


def test_an_empty_file_has_an_empty_result(tmp_path):
    found = computed(written(tmp_path, ""))
    assert not {"OCID", "Buyer", "ProcuringEntity", "Tenderer"} & set(found)
    assert all(counts["units"] == 0 for groups in found["Coverage"].values() for counts in groups.values())


def test_the_command_answers_with_json_and_says_which_lines_it_left_out(tmp_path):
    good = bidwatch(written(tmp_path, SINGLE % ("x", 1)))
    assert good.returncode == 0
    assert json.loads(good.stdout)["OCID"] == {"x": {"R018": 1.0}}
    bad = bidwatch(written(tmp_path, SINGLE % ("x", 1), "{", SINGLE % ("x", 1)))
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["Input"]["left_out_places"][0]["place"] == "releases.jsonl, line 2"
    assert "releases.jsonl, line 2: left out: the line is not JSON" in bad.stderr
    assert "1 releases have an ocid that comes again" in bad.stderr


def test_the_command_refuses_what_it_cannot_use(tmp_path):
    missing = bidwatch(tmp_path / "missing.jsonl")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no file" in missing.stderr
    path = written(tmp_path, SINGLE % ("x", 1))
    (tmp_path / "s.ini").write_text("[R003]\ntreshold = 3\n", encoding="utf-8")
    refused = bidwatch(path, "--settings", tmp_path / "s.ini")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "[R003] treshold is not known" in refused.stderr


def test_maps_say_who_is_behind_the_results_under_the_names_of_cardinal(tmp_path):
    refused = (EQUAL % ("x", 5, 5)).replace('"valid"', '"disqualified"', 1)
    path = written(tmp_path, refused.replace('{"ocid"', '{"buyer": {"id": "Y"}, "ocid"'))
    found = json.loads(bidwatch(path, "--map").stdout)
    assert found["Maps"] == {
        "ocid_buyer_r038": {"x": "Y"},
        "ocid_procuringentity_r038": {},
        "ocid_tenderer": {"x": ["A", "B"]},
        "ocid_tenderer_r024": {},
        "ocid_tenderer_r028": {"x": ["A", "B"]},
        "ocid_tenderer_r030": {},
        "ocid_tenderer_r035": {},
        "ocid_tenderer_r058": {},
    }
    (tmp_path / "s.ini").write_text("[R028]\n", encoding="utf-8")
    few = json.loads(bidwatch(path, "--map", "-s", tmp_path / "s.ini").stdout)["Maps"]
    assert {name for name, pairs in few.items() if pairs} == {"ocid_tenderer_r028"}


def test_maps_hold_only_the_tenderers_of_flagged_processes(tmp_path):
    won = EQUAL.replace("]}}", ']}, "awards": [{"status": "active", "suppliers": [{"id": "A"}]}]}')
    path = written(tmp_path, won % ("near", 100, 101), *(won % (f"far {n}", 100, 200) for n in range(4)))
    result = compute([path], Limits(codes=("R024", "R058")), Preparation(), with_maps=True)
    assert result.maps["ocid_tenderer_r024"] == {"near": ["A", "B"]}
    assert result.maps["ocid_tenderer"] == {}


def test_count_says_how_many_of_each_group_have_results_and_meta_can_be_left_out(tmp_path):
    done = bidwatch(written(tmp_path, EQUAL % ("x", 5, 5), EQUAL % ("y", 6, 6)), "--count", "--no-meta")
    assert "OCID: 2\nTenderer: 2\n" in done.stderr
    assert "Meta" not in json.loads(done.stdout)


def test_tables_and_csv_show_hostile_text_harmlessly(tmp_path):
    path = written(tmp_path, SINGLE % (r"=1+1\u001b[31m", 1))
    table = bidwatch(path, "--format", "table")
    assert table.returncode == 0
    assert "\x1b" not in table.stdout
    assert "Single bid" in table.stdout
    assert "仅一家投标" in bidwatch(path, "--format", "table", "--lang", "zh").stdout
    rows = list(csv.DictReader(io.StringIO(bidwatch(path, "--format", "csv").stdout)))
    assert [(row["id"][:2], row["code"], row["value"]) for row in rows] == [("'=", "R018", "1")]


def test_what_a_placeholder_or_an_unknown_status_may_do_is_said(tmp_path):
    path = written(tmp_path, EQUAL % ("x", 0, 0), (EQUAL % ("y", 5, 5)).replace("valid", "qualified"))
    said = bidwatch(path).stderr
    assert "2 bid prices are zero or below" in said
    assert "2 bids have the status 'qualified', which OCDS does not know" in said


# --- coverage -----------------------------------------------------------------------------------------


def covered(tmp_path, *lines):
    done = bidwatch(written(tmp_path, *lines), "--coverage")
    return json.loads(done.stdout), done.returncode


@pytest.mark.parametrize(
    ("lines", "counts"),
    [
        (
            ['{"a": [{"b": 0}, {"b": ""}], "c": null}'],
            {"": 1, "/": 1, "/a": 1, "/a[]": 1, "/a[]/": 1, "/a[]/b": 1},
        ),
        (['{"a": [[], {}, [null], {"b": ""}]}'], {}),
        (["0", '""', "false", "[[0]]"], {"": 3, "[]": 1, "[][]": 1}),
        (['{"a": false}', "{", '{"a": 1}'], {"": 2, "/": 2, "/a": 2}),
        (['{"a": 0, "a": null}', '{"": 0}', '{"a[]": 0, "a": [0]}'], {"": 2, "/": 3, "/a": 1, "/a[]": 2}),
        (['{"a": {"b": 0}}', "", '{"a": "x"}'], {"": 2, "/": 2, "/a": 2, "/a/": 1, "/a/b": 1}),
        (['["a": 0]', "{", "[0]"], {"": 1, "[]": 1}),
        ([""], {}),
    ],
)
def test_coverage_counts_what_is_not_empty_by_its_path(tmp_path, lines, counts):
    assert covered(tmp_path, *lines) == (counts, int("{" in lines))


def test_coverage_of_a_package_over_many_lines_counts_its_releases(tmp_path):
    counts, code = covered(tmp_path, package("a", "b", indent=2))
    assert (counts[""], counts["/ocid"], counts["/tender/numberOfTenderers"], code) == (2, 2, 2, 0)


def test_coverage_is_a_table_too(tmp_path):
    rows = bidwatch(written(tmp_path, '{"a": 1}'), "--coverage", "--format", "csv").stdout.splitlines()
    assert rows == ['"path","count"', '"","1"', '"/","1"', '"/a","1"']


# --- settings -----------------------------------------------------------------------------------------


def settings(tmp_path, text):
    path = tmp_path / "settings.ini"
    path.write_text(text, encoding="utf-8")
    return indicator_settings.load(path)


def test_settings_are_read_under_their_published_names(tmp_path):
    found = settings(
        tmp_path,
        """
; a comment
currency = CNY
no_price_comparison_procurement_methods = 抽签|Random Selection
[exclusions]
procurement_method_details = "Test"
[R003]
threshold = 20 # days
procurement_methods = open|selective
[R003.procurement_method_details]
公开招标: 货物 = 20
[R024]
threshold = 0.05
[R025]
percentile = 90
[R038]
minimum_submitted_bids = 3
minimum_contracting_processes = 4
[R048]
digits = 4
threshold = 10
minimum_contracting_processes = 5
[defaults]
currency = CNY
bid_status = valid
[codelists.bid_status]
Qualified = valid
[redactions]
amount = 0|99999999
organization_id = placeholder
""",
    )
    assert found.limits == Limits(
        codes=("R003", "R024", "R025", "R038", "R048"),
        currency="CNY",
        no_price_comparison_procurement_methods=("抽签", "Random Selection"),
        exclusions_procurement_method_details=("Test",),
        r003_threshold=20,
        r003_procurement_methods=("open", "selective"),
        r003_procurement_method_details=(("公开招标: 货物", 20),),
        r024_threshold=0.05,
        r025_percentile=90,
        r038_minimum_submitted_bids=3,
        r038_minimum_contracting_processes=4,
        r048_digits=4,
        r048_threshold=10,
        r048_minimum_contracting_processes=5,
    )
    assert found.preparation == Preparation(
        defaults_currency="CNY",
        defaults_bid_status="valid",
        codelists_bid_status={"Qualified": "valid"},
        redactions_amount=frozenset({0.0, 99999999.0}),
        redactions_organization_id=frozenset({"placeholder"}),
    )


def test_without_a_section_for_an_indicator_all_are_computed(tmp_path):
    assert settings(tmp_path, "currency = CNY\n").limits.codes == tuple(TITLES)
    assert settings(tmp_path, "").limits == Limits()
    assert settings(tmp_path, "[R036]\n").limits.codes == ("R036",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("curency = CNY\n", "curency is not known; there are currency, price_comparison"),
        ("r024_threshold = 1\n", "r024_threshold is not known"),
        ("[R036]\nthreshold = 1\n", r"\[R036\] threshold is not known; this section has no settings"),
        (
            "[R003]\nThreshold = 1\n",
            r"\[R003\] Threshold is not known; there are threshold, procurement_methods",
        ),
        ("[R003]\nthreshold = 1.5\n", r"\[R003\] threshold = '1.5': a whole number is expected"),
        ("[R003]\nthreshold =\n", "a whole number is expected"),
        ("[R003]\nthreshold = -1\n", "a whole number is expected"),
        ("[R003]\nthreshold = " + "9" * 5_000 + "\n", "a whole number is expected"),
        ("[R035]\nthreshold = 0\n", "the smallest value is 1"),
        ("[R025]\npercentile = 101\n", "the largest 100"),
        ("[R024]\nthreshold = nan\n", "a number such as 0.05 is expected"),
        ("[R024]\nthreshold = 5%\n", "a number such as 0.05 is expected"),
        ("[R058]\nthreshold = -0.5\n", "a share is not negative"),
        ("[R003.procurement_method_details]\nurgent = soon\n", "urgent = 'soon': a whole number"),
        ("currency =\n", "a value is missing"),
        ("[modifications]\nmove_auctions = yes\n", "true or false is expected"),
        (
            "[corrections]\naward_status = true\n",
            "award_status is not known; there are award_status_by_contract",
        ),
        ("[R024]\nthreshold = 1\nthreshold = 2\n", r"line 3: \[R024\] threshold stands twice"),
        ("[R024]\n[R024]\n", r"line 2: section \[R024\] stands twice"),
        ("[R024]\nthreshold\n", "line 2: .*neither a"),
    ],
)
def test_unknown_settings_and_values_are_errors(tmp_path, text, said):
    with pytest.raises(ValueError, match=rf"settings\.ini: .*{said}"):
        settings(tmp_path, text)


def test_what_init_of_cardinal_writes_is_read_and_what_is_not_supported_is_named(tmp_path):
    (tmp_path / "s.ini").write_text(
        "; currency = USD\n[output]\n[defaults]\nparty_roles = true\nitem_classification_scheme = UNSPSC\n"
        "[redactions]\n[corrections]\n[modifications]\n[codelists.bid_status]\n[codelists.award_status]\n"
        "[exclusions]\n[R003]\n[R003.procurement_method_details]\n[R018]\n; threshold = 1\n[R055]\n",
        encoding="utf-8",
    )
    done = bidwatch(written(tmp_path, SINGLE % ("x", 1)), "--settings", tmp_path / "s.ini")
    assert done.returncode == 0
    assert json.loads(done.stdout)["OCID"] == {"x": {"R018": 1.0}}
    assert "s.ini: sections that are not supported and change nothing: [output], [R055]\n" in done.stderr


def test_modifications_and_corrections_mend_a_release(tmp_path):
    release = {
        "ocid": "x",
        "buyer": {"id": 7},
        "tender": {"procurementMethodDetails": "Auction - school 3", "procuringEntity": {"id": "UC-8"}},
        "auctions": [
            {
                "stages": [
                    {
                        "bids": [
                            {
                                "status": "disqualified",
                                "tenderers": {"id": 1},
                                "value": {"amount": 5, "currency": "X"},
                            },
                            {
                                "status": "valid",
                                "tenderers": [{"id": "RPE-2"}],
                                "value": {"amount": 9, "currency": "X"},
                            },
                        ]
                    }
                ]
            }
        ],
        "awards": [{"id": 1, "status": "active", "suppliers": [{"id": 2}]}],
        "contracts": [{"awardID": "1", "status": "cancelled"}, {"awardID": 1, "status": "active"}],
    }
    path = written(tmp_path, json.dumps(release))
    assert "OCID" not in computed(path)
    mending = """
price_comparison_procurement_methods = Auction
[modifications]
move_auctions = true
prefix_buyer_or_procuring_entity_id = UC-
prefix_tenderer_or_supplier_id = RPE-
split_procurement_method_details = -
[corrections]
award_status_by_contract_status = TRUE
"""
    given = settings(tmp_path, mending)
    found = document(compute([path], given.limits, given.preparation))
    assert found["OCID"] == {"x": {"R035": 1.0, "R036": 1.0}}
    assert found["Buyer"].keys() == {"UC-7"}
    assert found["ProcuringEntity"].keys() == {"UC-8"}
    assert found["Tenderer"] == {"RPE-2": {"R025": 1.0, "R035": 0.0}}
    release["contracts"][1]["status"] = "cancelled"
    undone = document(compute([written(tmp_path, json.dumps(release))], given.limits, given.preparation))
    assert "OCID" not in undone
    assert undone["Coverage"]["R036"]["OCID"]["not_computable"] == {"NO_ACTIVE_AWARD": 1}


def test_a_release_is_mended_as_the_settings_say(tmp_path):
    line = (
        '{"ocid": "x", "bids": {"details": ['
        '{"status": "ok", "tenderers": [{"id": "A"}], "value": {"amount": 5}},'
        '{"tenderers": [{"id": "B"}], "value": {"amount": 5}},'
        '{"status": "ok", "tenderers": [{"id": "C"}], "value": {"amount": 0}},'
        '{"status": "ok", "tenderers": [{"id": "none"}], "value": {"amount": 7}}]},'
        ' "awards": [{"suppliers": [{"id": "A"}]}]}'
    )
    path = written(tmp_path, line)
    assert "OCID" not in computed(path)
    mended = Preparation(
        defaults_currency="CNY",
        defaults_bid_status="ok",
        defaults_award_status="done",
        codelists_bid_status={"ok": "valid"},
        codelists_award_status={"done": "active"},
        redactions_amount=frozenset({0.0}),
        redactions_organization_id=frozenset({"none"}),
    )
    found = computed(path, mended, r024_threshold=0.1)
    assert found["OCID"] == {"x": {"R024": 0.0, "R028": 1.0}}
    assert found["Tenderer"] == {"A": {"R024": 0.0, "R028": 1.0}, "B": {"R024": 0.0, "R028": 1.0}}
    assert found["Input"]["amounts_not_positive"] == 0


# --- real files ---------------------------------------------------------------------------------------

#: file -> found, releases used, periods measured by R003, lines left out.
REAL_FILES = {
    "armenia_releases": (900, 900, 320, 0),
    "armenia_packages_meta": (9, 0, 0, 9),
    "colombia_records": (10, 10, 2, 0),
    "colombia_releases": (21, 21, 5, 0),
    "moldova_records": (51, 51, 51, 0),
    "moldova_releases": (51, 51, 51, 0),
    "paraguay_records": (16, 10, 0, 2),
    "paraguay_releases": (90, 17, 0, 0),
    "taiwan_records": (10, 10, 0, 0),
    "taiwan_releases": (21, 11, 0, 0),
    "uk-contracts-finder_records": (11, 11, 3, 0),
    "uk-contracts-finder_releases": (21, 11, 3, 0),
}

on_real_data = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"the real OCDS files are not in {REAL}; set BIDWATCH_REAL_DATA"
)


@on_real_data
@pytest.mark.parametrize("name", REAL_FILES)
def test_real_files_are_read_and_every_unit_is_accounted_for(name):
    found = computed(REAL / f"{name}.jsonl.zst")
    many, processes, periods, out = REAL_FILES[name]
    assert (found["Input"]["found"], found["Input"]["processes"]) == (many, processes)
    assert found["Coverage"]["R003"]["OCID"]["applied"] == periods
    assert sum(found["Input"]["left_out"].values()) == out
    for groups in found["Coverage"].values():
        for counts in groups.values():
            assert counts["applied"] + sum(counts["not_computable"].values()) == counts["units"]


@on_real_data
def test_real_bids_are_judged_once_their_statuses_are_translated():
    translated = Preparation(codelists_bid_status={"qualified": "valid", "not-qualified": "disqualified"})
    path = REAL / "armenia_releases.jsonl.zst"
    counts = {
        code: (groups["OCID"]["applied"], groups["OCID"]["flagged"])
        for code, groups in computed(path, translated)["Coverage"].items()
        if "OCID" in groups
    }
    assert counts == {
        "R003": (320, 306),
        "R018": (136, 23),
        "R024": (0, 0),
        "R028": (73, 15),
        "R030": (235, 0),
        "R035": (208, 19),
        "R036": (178, 29),
        "R058": (22, 2),
    }
    untranslated = computed(path)["Input"]["unknown_statuses"]
    assert [(one["status"], one["count"]) for one in untranslated] == [
        ("not-qualified", 424),
        ("qualified", 1044),
    ]
