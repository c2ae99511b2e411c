"""What is planted in the invented county: links to find, look-alikes to leave alone, lots still secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.sample.county import (
    BY_XML,
    INSURER_ACCOUNT,
    LOCAL,
    Bid,
    County,
    Firm,
    Lot,
    Machine,
    Person,
    agency_phone,
)

LOWEST, AVERAGE, SCORE = "经评审的最低投标价法", "合理低价法", "综合评估法"


@dataclass(frozen=True)
class Special:
    """Lots that the dirty records speak of."""

    in_rates: Lot
    postponed: Lot
    future: Lot


def plant(county: County) -> Special:
    """Change some lots of the county and write down in ``county.links`` what was done."""
    _contacts(county)
    _prices(county)
    _bans(county)
    _machines_that_look_alike(county)
    _people_that_look_alike(county)
    _re_tenders(county)
    return _special(county)


def _firms(bids: Iterable[Bid]) -> list[Firm]:
    return [bid.firm for bid in bids]


def _contacts(county: County) -> None:
    """One computer, dongle, account, manager or agent behind several bids."""
    ring, machine = county.ring("市政", 0, 3), Machine.of(9001)
    for lot in county.take(5, traced=True, trade="市政", method=LOWEST):
        for bid in county.seat(lot, ring):
            bid.edit = machine
        county.say(lot, "edit_hardware", "contacts.edit_hardware", ring, "bid files written on one computer")
    ring = county.ring("房建", 0, 3)
    for lot in county.take(4, traced=True, trade="房建"):
        for bid in county.seat(lot, ring):
            bid.pricing = [("YL90002", bid.edit)]
        county.say(lot, "dongle", "contacts.pricing_dongle", ring, "priced with one dongle")
    ring, machine = county.ring("房建", 3, 3), Machine.of(9003)
    for lot in county.take(4, traced=True, trade="房建"):
        for bid in county.seat(lot, ring):
            bid.upload = machine
        county.say(lot, "upload_hardware", "contacts.upload_hardware", ring, "uploaded from one computer")
    ring = county.ring("公路", 0, 3)
    for lot in county.take(4, traced=True, trade="公路"):
        for bid in county.seat(lot, ring):
            bid.account = "9999900000009004"
        county.say(lot, "deposit_account", "contacts.deposit_account", ring, "deposits paid from one account")
    ring, manager = county.ring("水利", 0, 2), Person(9100)
    for lot in county.take(3, traced=False, trade="水利"):
        for bid in county.seat(lot, ring):
            bid.manager = manager
        county.say(lot, "project_manager", "contacts.project_member", ring, "one project manager by number")
    ring, agent = county.ring("房建", 6, 3), Person(9101)
    for lot in county.take(3, traced=False, trade="房建"):
        for bid in county.seat(lot, ring):
            bid.agent = agent
        for detector in ("contacts.same_agent", "contacts.same_contact"):
            county.say(lot, "agent", detector, ring, "one authorised agent by number, name and phone")


def _prices(county: County) -> None:
    """Prices that one hand wrote."""
    rng = county.rng
    ring = county.ring("房建", 10, 5)
    for lot in county.take(4, traced=False, trade="房建", method=AVERAGE):
        lot.bids = county.seat(lot, ring)
        for place, bid in enumerate(lot.bids):
            bid.price = round(round(lot.ceiling * 0.90, 2) + place * round(lot.ceiling * 0.0137, 2), 2)
        county.say(lot, "ladder", "prices.ladder", ring, "five prices in equal steps")
    ring = county.ring("市政", 4, 2)
    for lot in county.take(3, traced=False, trade="市政", bids=5):
        first, second = county.seat(lot, ring)
        second.price = first.price
        county.say(lot, "identical_prices", "prices.identical_prices", ring, "two prices equal to the fen")
    ring = county.ring("公路", 4, 5)
    for lot in county.take(5, traced=False, trade="公路", method=LOWEST):
        winner, *covers = lot.bids = county.seat(lot, ring)
        winner.price = round(lot.ceiling * rng.uniform(0.972, 0.977), 2)
        for bid in covers:
            bid.price = round(lot.ceiling * rng.uniform(0.9874, 0.9886), 2)
        for detector in ("prices.low_dispersion", "prices.cover_gap", "prices.ceiling_hugging"):
            county.say(lot, "cover_bids", detector, ring, "losing bids close together, well above the winner")
    ring = county.ring("水利", 3, 4)
    for lot in county.take(4, traced=False, trade="水利", method=LOWEST):
        lot.bids = county.seat(lot, ring)
        for bid in lot.bids:
            bid.price = round(lot.ceiling * rng.uniform(0.988, 0.9995), 2)
        for detector in ("prices.ceiling_hugging", "prices.low_dispersion"):
            county.say(lot, "ceiling_hugging", detector, ring, "every price just under the ceiling")


def _bans(county: County) -> None:
    """A firm bids during its ban; two others a day after the ban ended or was withdrawn."""
    detector, day = "watchlist.active_ban", timedelta(days=1)
    banned, ended, withdrawn = barred = county.ring("市政", 20, 3)
    first, second, third, fourth = county.take(4, traced=True, trade="市政")
    _ban(county, banned, "2026-001", "20260115", "20270114")
    for lot in (first, second):
        county.seat(lot, [banned])
        county.say(lot, "ban", detector, [banned], "bid during its ban")
    county.seat(third, [ended])
    _ban(county, ended, "2025-007", "20250301", f"{third.opening - day:%Y%m%d}")
    county.say(third, "ban", detector, [ended], "the ban ended the day before", innocent=True)
    county.seat(fourth, [withdrawn])
    _ban(county, withdrawn, "2025-011", "20250601", "20261231", f"{fourth.opening - day:%Y%m%d}")
    county.say(fourth, "ban", detector, [withdrawn], "the ban was withdrawn the day before", innocent=True)
    seated = {lot.number for lot in (first, second, third, fourth)}
    for lot in county.lots:  # they bid nowhere else, so that the truth is complete
        if lot.number not in seated:
            lot.bids = [bid for bid in lot.bids if bid.firm not in barred]


def _ban(county: County, firm: Firm, number: str, start: str, end: str, withdrawn: str = "") -> None:
    county.bans.append(
        {
            "BLACKLIST_CODE": f"YLHMD{number}",
            "BODY_NAME": firm.name,
            "BODY_CODE": firm.code,
            "RECORD_REASON": "样例：串通投标",
            "GOVERNMENT": "修武县样例监督局",
            "DOCUMENT_CODE": f"修样罚〔{number[:4]}〕{int(number[5:])}号",
            "CONFINED_ACTION": "禁止参加依法必须进行招标的项目的投标",
            "CONFINED_START": start,
            "CONFINED_END": end,
            "DATA_TIMESTAMP": f"{start}180000",
            "withdrawn": withdrawn,
        }
    )


def _machines_that_look_alike(county: County) -> None:
    """Equal codes with an innocent reason."""
    hardware, upload = "contacts.edit_hardware", "contacts.upload_hardware"
    for lot in county.take(3, traced=True):
        lot.buyer_machine = Machine.of(9201)
        for bid in lot.bids:
            bid.pricing = [("YL90201", lot.buyer_machine), *bid.pricing]
        note = "the buyer's own ceiling-price file is inside every bid"
        for detector in (hardware, "contacts.pricing_dongle"):
            county.say(lot, "buyers_hardware", detector, _firms(lot.bids), note, innocent=True)
    office = Machine.of(9200)
    for lot in county.take(2, traced=True):
        some = lot.bids[:3]
        for bid in some:
            bid.upload, bid.on_site = office, True
        note = "uploaded at the centre's own computer"
        county.say(lot, "on_site_upload", upload, _firms(some), note, innocent=True)
    for lot in county.take(2, traced=True):
        some = lot.bids[:3]
        for bid in some:  # 6A: the bit of a locally administered address is set
            bid.edit = Machine("6A-A3-55-00-00-01", bid.edit.cpu, bid.edit.disk, bid.edit.ip)
        note = "only the virtual adapter's MAC is the same"
        county.say(lot, "local_mac", hardware, _firms(some), note, innocent=True)
    lead, partner = county.ring("水利", 8, 2)
    for lot in county.take(2, traced=True, trade="水利"):
        (joint,) = county.seat(lot, [lead])
        joint.partner = partner
        lot.bids = [bid for bid in lot.bids if bid.firm != partner]
        note = "partners of one joint bid use one computer"
        county.say(lot, "joint_venture", hardware, [lead, partner], note, innocent=True)
    nothing = Machine("00:00:00:00:00:00", "To be filled by O.E.M.", "无", "/")
    for lot in county.take(3, traced=True):
        for bid in lot.bids:
            bid.edit = bid.upload = nothing
            bid.pricing, bid.operator_phone = [("无", nothing)], "13800138000"
        note = "fillers instead of hardware codes and phones"
        for detector in (hardware, upload, "contacts.pricing_dongle", "contacts.same_contact"):
            county.say(lot, "placeholders", detector, _firms(lot.bids), note, innocent=True)


def _people_that_look_alike(county: County) -> None:
    """Equal accounts, names and phones with an innocent reason."""
    for lot in county.take(4, traced=True):
        some = lot.bids[:4]
        for bid in some:
            bid.form, bid.account = "电子保函", INSURER_ACCOUNT
        note = "guarantees of one insurer, from its account"
        county.say(lot, "guarantee", "contacts.deposit_account", _firms(some), note, innocent=True)
    for lot in county.take(3, traced=False):
        some = lot.bids[:3]
        for place, bid in enumerate(some):
            bid.manager = Person(9300 + place, "样例同名")
        note = "managers of one name, with different numbers"
        county.say(lot, "same_name", "contacts.project_member", _firms(some), note, innocent=True)
    for lot in county.take(3, traced=False):
        for bid in lot.bids:
            bid.operator = Person(bid.operator.number, "联系人")
            bid.operator_phone = agency_phone(lot.agency)
        note = "the agency typed its own phone for everybody"
        county.say(lot, "agency_phone", "contacts.same_contact", _firms(lot.bids), note, innocent=True)


def _re_tenders(county: County) -> None:
    """The first attempt had no award; the same firms bid again."""
    for first in county.take(2, traced=False, method=LOWEST):
        number = min(n for n in county.free if n > first.number + 8)
        county.free.remove(number)
        again = county.lots[number]
        first.is_awarded = False
        again.tender_id, again.lot_id, again.attempt = first.tender_id, first.tender_id + "002", 2
        again.trade, again.type_code, again.method = first.trade, first.type_code, first.method
        again.ceiling = first.ceiling
        again.bids = [county.bid(bid.firm) for bid in first.bids]
        county.price_honestly(again)
        note = "the same firms again: the lot was tendered again"
        county.say(again, "re_tender", "collusion", _firms(again.bids), note, innocent=True)


def _special(county: County) -> Special:
    """One lot is bid in discounts; of the last XML lots one was postponed and one opens later."""
    (in_rates,) = county.take(1, traced=False, method=SCORE)
    for bid in in_rates.bids:
        bid.rate = f"下浮率{(1 - bid.price / in_rates.ceiling) * 100:.2f}%"
    postponed, future = (county.lots[number] for number in BY_XML[-2:])
    postponed.opening = datetime(2026, 7, 3, 9, tzinfo=LOCAL)
    future.opening = datetime(2026, 7, 8, 9, tzinfo=LOCAL)
    postponed.is_awarded = future.is_awarded = False
    return Special(in_rates, postponed, future)
