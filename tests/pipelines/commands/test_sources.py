"""``sources new`` and ``sources check`` as a person sees them; the check reads in this process, not in a child."""

import pytest
from command_line import bidwatch

from pipelines.commands import source_check
from pipelines.commands.source_check import Checked
from pipelines.commands.texts import Lang
from pipelines.intake import mapping

ZONE = "Asia/Shanghai"


def dated(text):
    """The text of a file with the version time that the county's records must have."""
    header, *records = text.splitlines()
    return "\n".join([f"{header},at", *(f"{record},2026-05-01 09:00" for record in records)]) + "\n"


@pytest.fixture
def check(county, unchecked, capsys):
    """Read files of the county and return what the check of all of them says, without what a table is drawn with."""

    def check(lang=Lang.EN, rows=20, **files):
        done = []
        for name, text in files.items():
            one = county.read(dated(text), f"{name}.csv")
            done.append(Checked(f"{name}.csv", one.folder, one.report))
        for one in done:
            source_check.print_file(one, ZONE, rows, lang)
        is_contradictory = source_check.print_together(done, ZONE, rows, lang)
        said = capsys.readouterr().out
        return is_contradictory, [
            [cell.strip() for cell in line.strip("│").split("│")] if "│" in line else line.strip()
            for line in said.splitlines()
        ]

    return check


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setattr(source_check.out, "_width", 240)


def test_every_column_stands_beside_its_source_with_its_count_and_samples(check):
    _, said = check(
        bids_1="lot,name,price,phone\nL1,甲公司,5,13900000001\nL1,乙公司,abc,\nL1,丙公司,7.50,13900000002\n"
    )
    assert ["bids.price", "投标报价", "price", "2", "5, 7.5", "1 (abc)"] in said
    assert ["bids.currency", "币种", "(constant)", "3", "CNY", ""] in said
    assert ["bids.agent_phone", "授权委托人电话", "phone", "2", "(not shown)", ""] in said
    assert not any("1390000000" in str(line) for line in said)


def test_times_are_shown_as_the_sender_has_them(check):
    _, said = check(lots_1="lot,opening\nL1,2026-05-06 09:30\n")
    assert ["lots.opening_at", "开标时间", "opening", "1", "2026-05-06 09:30:00", ""] in said


def test_what_is_lacking_is_a_warning_with_its_cost_and_no_harmless_name(check):
    _, said = check(lang=Lang.ZH, bids_1="lot,name,code,ref\nL1,甲公司,,\n")
    [warning] = [line for line in said if str(line).startswith("注意")]
    assert warning == "注意：bids_1.csv bids 未找到投标报价（bids.price）：没有报价：价格类规则均无法判断"
    [section] = [line for line in said if line[0] == "bids"]
    assert "bids.price" not in section[-1].split("、")
    assert "bids.rank" in section[-1].split("、")


def test_a_warning_is_a_finding(county, unchecked):
    full = county.read(dated("lot,name,code,price\nL1,甲公司,,5\n"))
    short = county.read(dated("lot,name,code\nL1,甲公司,\n"))
    assert [Checked("x", one.folder, one.report).has_findings for one in (full, short)] == [False, True]


def test_the_commonest_reasons_of_refusal_are_counted(county, capsys):
    rows = "".join(f",公司{n},,5\n" for n in range(3)) + "L1,甲公司,123,5\n"
    one = county.read(dated("lot,name,code,price\n" + rows))
    source_check.print_file(Checked("bids.csv", one.folder, one.report), ZONE, 1, Lang.EN)
    said = capsys.readouterr().out
    reasons = said[said.index("Reasons of refusal") : said.index("Refused rows (the first 1)")]
    lines = [[cell.strip() for cell in line.split("│")] for line in reasons.splitlines() if "│" in line]
    assert [(line[1], line[3], line[4]) for line in lines] == [
        ("MISSING_VALUE", "3", "line 2"),
        ("CODE_FORM", "1", "line 5"),
    ]


def test_two_files_that_contradict_each_other_are_shown_cell_by_cell(check):
    is_contradictory, said = check(
        bids_1="lot,name,price,agent\nL1,甲公司,5,张三\nL1,乙公司,6,\n",
        bids_2="lot,name,price,agent\nL1,甲公司,7,李四\nL1,乙公司,6,\n",
    )
    assert is_contradictory
    assert ["bids_1.csv", "2", "0", "0"] in said
    assert ["bids_2.csv", "1", "1", "0"] in said
    conflicts = [line for line in said if line[0] == "bids" and len(line) == 5]
    assert conflicts == [
        ["bids", "L1 / name:甲公司", "agent", "(not shown)", "bids_1.csv bids row 2"],
        ["bids", "L1 / name:甲公司", "agent", "(not shown)", "bids_2.csv bids row 2"],
        ["bids", "L1 / name:甲公司", "price", "5", "bids_1.csv bids row 2"],
        ["bids", "L1 / name:甲公司", "price", "7", "bids_2.csv bids row 2"],
    ]


def test_files_that_agree_are_no_contradiction(check):
    is_contradictory, said = check(lots_1="lot,ceiling\nL1,5\n", bids_1="lot,name,price\nL1,甲公司,5\n")
    assert not is_contradictory
    assert not any("different contents" in str(line) for line in said)


def test_a_mapping_says_once_what_it_never_fills(capsys):
    source_check.print_mapping(mapping.load("lishui"), Lang.EN)
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("WARNING") == 2
    assert "never fills lots.award_method: the award method is unknown" in said


@pytest.mark.slow
def test_a_new_mapping_is_written_to_a_file_that_was_not_there(tmp_path):
    ledger, out = tmp_path / "台账_20260506.csv", tmp_path / "centre.toml"
    ledger.write_text("标段编号,投标人,投标报价\nL1,甲公司,102\n", encoding="utf-8")
    done = bidwatch("sources", "new", ledger, "--out", out)
    assert done.returncode == 0, done.stderr
    assert mapping.load_file(out).files[0].match == ("台账_*.csv",)
    assert "1 more wait for an answer" in done.stderr
    assert f"bidwatch sources check {out} {ledger}" in done.stderr
    again = bidwatch("sources", "new", ledger, "--out", out)
    assert again.returncode == 2
    assert "is there already" in " ".join(again.stderr.split())


@pytest.mark.slow
def test_a_new_mapping_goes_to_standard_output_and_a_file_of_no_use_is_refused_in_a_sentence(tmp_path):
    ledger = tmp_path / "a.csv"
    ledger.write_text("标段编号,投标人,投标报价（元）\nL1,甲公司,102\n", encoding="utf-8")
    said = bidwatch("sources", "new", ledger)
    (tmp_path / "centre.toml").write_text(said.stdout, encoding="utf-8")
    assert [rule.table for rule in mapping.load_file(tmp_path / "centre.toml").records] == ["bids"]
    ledger.write_text("a,b\n1,2\n", encoding="utf-8")
    refused = bidwatch("sources", "new", ledger, "--lang", "zh")
    assert refused.returncode == 2
    assert "NO_TABLE_FILLED" in refused.stderr
    assert "手工编写映射" in refused.stderr
