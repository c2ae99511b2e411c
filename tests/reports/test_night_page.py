import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.night_page import (
    ALERTS_SHOWN,
    ClockLine,
    DeliveryLine,
    DetectorOutcome,
    ExpectationOutcome,
    FileOutcome,
    GateOutcome,
    Hub,
    NightPage,
    Refusal,
    page_html,
)

EXPECTED = Path(__file__).parent / "expected"
HOSTILE = "<script>window.HOSTILE=1</script><img src=x onerror=alert(1)>\"'=cmd|'\u202e\x1b{{ 7*7 }}"


class Page(HTMLParser):
    """Collects what a browser would see: elements, attributes, visible text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def night(alert):
    return NightPage(
        snapshot="0123456789abcdef",
        as_of=date(2026, 11, 22),
        files=[
            FileOutcome(
                file_name="bids.csv",
                source="示例交易中心",
                state="loaded",
                records=1205,
                loaded=1200,
                duplicate=2,
                refused=3,
                held=0,
            ),
            FileOutcome(
                file_name="cut.csv",
                source="示例交易中心",
                state="refused",
                records=0,
                loaded=0,
                duplicate=0,
                refused=0,
                held=0,
                reason="the last line is cut",
                reason_zh="末行不完整",
            ),
        ],
        refusals=[
            Refusal(
                code="NO_LOT",
                reason="the lot is missing",
                reason_zh="缺少标段编号",
                count=3,
                example="line 17",
            )
        ],
        expectations=[
            ExpectationOutcome(
                table="bids",
                expectation="price_cny > 0",
                severity="critical",
                checked=1205,
                unexpected=3,
                ok=False,
            ),
            ExpectationOutcome(
                table="lots",
                expectation="lot_id is unique",
                severity="critical",
                checked=300,
                unexpected=0,
                ok=True,
            ),
        ],
        gates=[
            GateOutcome(name="refused share", name_zh="拒收记录占比", count=0.0025, limit=0.05, passed=True),
            GateOutcome(name="lost records", name_zh="记录去向不明", count=0, limit=0, passed=True),
        ],
        detectors=[
            DetectorOutcome(
                id="contacts.same_payer_account",
                title="Deposits from one account",
                title_zh="保证金同一账户",
                grade="A",
                judged=280,
                flagged=1,
                not_judged="20 个标段没有保证金记录",
            )
        ],
        hubs=[Hub("contacts.edit_hardware", "001B21AABBCC / CPU-1 / DISK-1", 34, 51, 6)],
        alerts=[alert(alert_id="SC", grade="C", detector="prices.low_dispersion"), alert()],
        clocks=[ClockLine("RC1-1", "向同级公安机关移送", "2026-11-23 20:12", "一日内到期")],
        deliveries=[
            DeliveryLine(
                recipient="housing",
                name_zh="住房和城乡建设局",
                rows=2,
                path="outbox/housing/0123456789abcdef",
            )
        ],
        notes=["数据不完整 INCOMPLETE：示例交易中心 2026-11-21 缺一个文件"],
    )


def test_the_page_reads_as_agreed(night, tmp_path):
    made = tmp_path / "night.html"
    made.write_text(page_html(night), encoding="utf-8")
    expected = EXPECTED / "night.html"
    assert made.read_bytes() == expected.read_bytes(), f"if the change is meant: cp {made} {expected}"


def test_the_page_is_well_formed_and_asks_for_nothing(night):
    html = page_html(night)
    page = Page(html)
    assert page.open == []
    assert not re.search(r"https?:|//|url\(|@import", html)
    assert {"script", "link", "img", "iframe", "object", "form", "a", "base"}.isdisjoint(page.tags)
    assert {"src", "href", "style"}.isdisjoint(name for name, _ in page.attributes)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert any("default-src 'none'" in value for name, value in page.attributes if name == "content")


def test_hostile_text_in_any_field_is_shown_and_not_obeyed(night, alert):
    def soiled(row):
        return replace(row, **{name: HOSTILE for name, value in vars(row).items() if isinstance(value, str)})

    rows = {
        name: [soiled(row) for row in getattr(night, name)]
        for name in ("files", "refusals", "expectations", "gates", "detectors", "alerts", "deliveries")
    }
    rows["alerts"] = [replace(row, party_names=(HOSTILE, HOSTILE)) for row in rows["alerts"]]
    html = page_html(replace(night, snapshot=HOSTILE, notes=[HOSTILE], **rows))
    page = Page(html)
    assert page.open == []
    assert set(page.tags) == set(Page(page_html(night)).tags)
    assert {name for name, _ in page.attributes} == {name for name, _ in Page(page_html(night)).attributes}
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert "49" not in html
    shown = "".join(page.text)
    assert shown.count("<script>window.HOSTILE=1</script>") > 20
    assert r"\u202e\x1b{{ 7*7 }}" in shown


def test_a_closed_gate_is_the_first_thing_to_read(night):
    closed = replace(night.gates[0], count=0.4, passed=False)
    text = "".join(Page(page_html(replace(night, gates=[closed, night.gates[1]]))).text)
    assert "未发布：1 项发布条件未满足" in text
    assert "已发布" not in text


def test_a_night_without_gates_does_not_claim_to_be_published(night):
    assert "已发布" not in page_html(replace(night, gates=[]))


def test_the_strongest_alerts_come_first_and_the_rest_are_counted(night, alert):
    weak = [alert(alert_id=f"S{n:03}", grade="C", score=n / 1000) for n in range(ALERTS_SHOWN + 4)]
    html = page_html(replace(night, alerts=[*weak, alert(alert_id="SSTRONG", score=0.1)]))
    assert html.index("SSTRONG") < html.index(f"S{ALERTS_SHOWN + 3:03}") < html.index("S050")
    assert "另有 5 条" in html
    assert "S000" not in html


def test_a_delivery_that_waits_shows_no_folder(night):
    held = replace(night, deliveries=[replace(each, held=True) for each in night.deliveries])
    text = "".join(Page(page_html(held)).text)
    assert "暂缓，待放行" in text
    assert night.deliveries[0].path not in text


def test_a_quiet_night_still_gives_a_page(night):
    quiet = replace(
        night, files=[], refusals=[], expectations=[], detectors=[], alerts=[], deliveries=[], notes=[]
    )
    page = Page(page_html(quiet))
    assert page.open == []
    assert "已发布" in "".join(page.text)


def test_the_page_says_that_it_accuses_nobody(night):
    assert "不作为认定违法事实的依据" in page_html(night)


def test_a_browser_runs_nothing_from_the_page(night, alert, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no chromium on this machine; the parser tests above stand in")
    page = tmp_path / "night.html"
    page.write_text(page_html(replace(night, alerts=[alert(lot_name=HOSTILE)])), encoding="utf-8")
    dump = dumped(browser, page, tmp_path)
    assert "<script>" not in dump
    assert "标哨夜报" in dump


def dumped(browser, page, folder):
    """The page as the browser has it after loading; the browser's helpers are ended with it."""
    quiet = "--disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with (folder / "dom.html").open("wb") as out:
        started = subprocess.Popen(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                *quiet.split(),
                f"--user-data-dir={folder / 'profile'}",
                "--dump-dom",
                page.as_uri(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            assert started.wait(timeout=60) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
    return (folder / "dom.html").read_text(encoding="utf-8")
