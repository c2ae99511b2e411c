"""What a trading centre delivers about the invented county, record by record."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.sample.county import (
    AGENCIES,
    BUYERS,
    INSURER_ACCOUNT,
    LOCAL,
    SUPERVISORS,
    TRACED_FROM,
    Bid,
    County,
    Lot,
    Person,
    Row,
    agency_phone,
    credit_code,
)

PLATFORM = credit_code(90, "12")

#: (tag, fields) of every record.
Records = list[tuple[str, Row]]


def agency_code(agency: int) -> str:
    """Return the credit code of an agency."""
    return credit_code(50 + agency)


def stamp(moment: datetime) -> str:
    """Return a time as the specification writes it."""
    return f"{moment:%Y%m%d%H%M%S}"


def records_of(lot: Lot, *, is_full: bool) -> Records:
    """Return everything a centre delivers about one lot; ``is_full`` adds experts and contracts."""
    made: Records = []
    published = lot.opening - timedelta(days=21)
    base = {"BID_SECTION_CODE": lot.lot_id, "TENDER_PROJECT_CODE": lot.tender_id}
    unit = "1" if lot.is_ten_thousand else "0"
    buyer = lot.number % len(BUYERS)
    name = f"样例{lot.trade}工程第{lot.number:03d}号"
    if lot.attempt == 1:
        made.append(
            (
                "TENDER_PROJECT",
                {
                    "TENDER_PROJECT_CODE": lot.tender_id,
                    "PROJECT_CODE": lot.tender_id[:17],
                    "TENDER_PROJECT_NAME": name,
                    "TENDER_PROJECT_TYPE": lot.type_code,
                    "IS_TO_LAW": "1",
                    "TENDER_MODE": "1",
                    "TENDERER_NAME": BUYERS[buyer],
                    "TENDERER_CODE": credit_code(10 + buyer, "12"),
                    "TENDER_AGENCY_NAME": AGENCIES[lot.agency],
                    "TENDER_AGENCY_CODE": agency_code(lot.agency),
                    "SUPERVISE_DEPT_NAME": f"修武县样例{SUPERVISORS[lot.trade]}",
                    "REGION_CODE": "410821",
                    "DATA_TIMESTAMP": stamp(published),
                },
            )
        )
    made.append(
        (
            "SECTION",
            {
                **base,
                "BID_SECTION_NAME": f"{name}一标段",
                "BID_ECTION_NUM": str(lot.attempt),
                "UNIFIED_DEAL_CODE": f"{lot.type_code}-{PLATFORM}-{published:%Y%m%d}-{lot.number:06d}-0",
                "TENDER_PROJECT_CLASSIFY_CODE": "A08",
                "REGION_CODE": "410821",
                "CONTRACT_RECKON_PRICE": amount(lot.ceiling * 1.02, unit),
                "PRICE_UNIT": unit,
                "CURRENCY_CODE": "156",
                "DATA_TIMESTAMP": stamp(published),
            },
        )
    )
    made.append(
        (
            "TENDER_FILE_CLARI_MODI",
            {
                **base,
                "CONTROL_PRICE": amount(lot.ceiling, unit),
                "CONTROL_PRICE_UNIT": unit,
                "CONTROL_PRICE_CURRENCY": "156",
                "BID_DOC_REFER_END_TIME": stamp(lot.opening),
                "BID_OPEN_TIME": stamp(lot.opening),
                "EVALUATING_METHOD": lot.method,
                "DATA_TIMESTAMP": stamp(published + timedelta(days=1)),
            },
        )
    )
    if lot.buyer_machine:
        made.append(
            (
                "BUYER_DOC_CHARACT_CODE",
                {
                    "BID_SECTION_CODE": lot.lot_id,
                    "DOCUMENT_NAME": "控制价.xml",
                    "VALUATION_XML": lot.buyer_machine.xml("YL90201"),
                    "DATA_TIMESTAMP": stamp(published),
                },
            )
        )
    for order, bid in enumerate(sorted(lot.bids, key=lambda bid: bid.firm.code), 1):
        made += _records_of_bid(lot, bid, order, unit, is_full=is_full)
    if lot.is_awarded:
        made += _records_of_result(lot, unit, is_full=is_full)
    return made


def _records_of_bid(lot: Lot, bid: Bid, order: int, unit: str, *, is_full: bool) -> Records:
    sent = lot.opening - timedelta(hours=3 + 7 * order % 40, minutes=(lot.number * 17 + order * 23) % 60)
    opened = stamp(lot.opening + timedelta(hours=3))
    key = {"BID_SECTION_CODE": lot.lot_id, "BIDDER_NAME": bid.firm.name, "BIDDER_ORG_CODE": bid.firm.code}
    # Housing lots come in the housing system's own table, which also names the authorised agent.
    is_housing = lot.trade == "房建"
    row = {
        **key,
        "BID_PRICE": amount(bid.price, unit),
        "PRICE_UNIT": unit,
        "PRICE_CURRENCY": "156",
        "PRICE_FORM_CODE": "1",
        "OTHER_BID_PRICE": "",
        "TIME_LIMIT": str(120 + lot.number % 5 * 30),
        "CHECKIN_TIME": stamp(sent),
        "BID_MANAGER": bid.manager.name,
        "ID_CARD" if is_housing else "PM_CODE": bid.manager.id_number,
        "BIDDER_OPERATION_PERSON": bid.operator.name,
        "BIDDER_OPERATION_PERSON_ID": bid.operator.id_number,
        "BIDDER_OPERATION_PERSON_CON": bid.operator_phone,
        "UNION_ORGAN_SET_CODE": bid.partner.code if bid.partner else "/",
    }
    if bid.rate:
        row |= {"BID_PRICE": "/", "PRICE_FORM_CODE": "2", "OTHER_BID_PRICE": bid.rate}
    if is_housing:
        row |= {
            "AUTHORIZED_CLIENT": bid.agent.name,
            "AUTH_ID_CARD": bid.agent.id_number,
            "AUTH_CONTACT_NUMBER": bid.agent.phone,
        }
    made: Records = [("ZJ_TENDER_LIST" if is_housing else "TENDER_LIST", row | {"DATA_TIMESTAMP": opened})]
    if lot.number < TRACED_FROM:
        return made
    made.append(
        (
            "BIDDER_MARGIN_INFO",
            {
                **key,
                "MARGIN_PAY_FORM": bid.form,
                "MARGIN_BANK": "样例银行" if bid.account != INSURER_ACCOUNT else "样例保险",
                "MARGIN_ACCOUNT": bid.account,
                "MARGIN_PAY": "20000",
                "MARGIN_RECEIVE_TIME": stamp(sent - timedelta(days=2)),
                "DATA_TIMESTAMP": opened,
            },
        )
    )
    for firm in filter(None, (bid.firm, bid.partner)):
        made.append(
            (
                "BID_DOC_CHARACT_CODE",
                {
                    "BID_SECTION_CODE": lot.lot_id,
                    "BIDDER_NAME": firm.name,
                    "BIDDER_ORG_CODE": firm.code,
                    "BID_DOCUMENT_NAME": "投标文件",
                    "BID_DOCUMENT_MD5": f"{lot.number:04x}{firm.number:04x}" * 4,
                    "TENDER_DOC_SUBMITTIME": stamp(sent),
                    "IS_ON_SITE": "1" if bid.on_site else "0",
                    "MAC_ADDRESS": bid.upload.mac,
                    "CPU_ID": bid.upload.cpu,
                    "HARD_DISK_SERIAL_NUMBER": bid.upload.disk,
                    "NET_ID": bid.upload.ip,
                    "VALUATION_XML": "".join(machine.xml(dongle) for dongle, machine in bid.pricing),
                    "MAKE_TOOL_XML": bid.edit.xml(),
                    "DATA_TIMESTAMP": opened,
                },
            )
        )
    if is_full:
        made.append(
            (
                "TENDER_FILE_BUYYER_INFO",
                {
                    **key,
                    "PURCHASE_ORDER_NUMBER": f"YLDD{lot.number:04d}{order:02d}",
                    "PURCHASE_TIME": stamp(lot.opening - timedelta(days=15, hours=order)),
                    "PURCHASE_MONEY": "300",
                    "PURCHASE_ACCOUNT": bid.account,
                    "PURCHASE_IP": bid.edit.ip,
                    "DOWNLOAD_IP": bid.edit.ip,
                    "DATA_TIMESTAMP": opened,
                },
            )
        )
        made.append(
            (
                "BIDDER_PROJECT_MEMBER",
                {
                    **key,
                    "POSITION": "技术负责人",
                    "NAME": bid.firm.person(5).name,
                    "ID_CARD_NO": bid.firm.person(5).id_number,
                    "PHONE": bid.firm.person(5).phone,
                    "DATA_TIMESTAMP": opened,
                },
            )
        )
    return made


def _records_of_result(lot: Lot, unit: str, *, is_full: bool) -> Records:
    winner, shown = lot.winner, stamp(lot.opening + timedelta(days=5))
    base = {"BID_SECTION_CODE": lot.lot_id}
    made: Records = [
        (
            "WIN_RESULT_ANNO",
            {
                **base,
                "WIN_BIDDER_NAME": winner.firm.name,
                "WIN_BIDDER_CODE": winner.firm.code,
                "BID_AMOUNT": amount(winner.price, unit),
                "PRICE_UNIT": unit,
                "BID_CURRENCY": "156",
                "NOTICE_SEND_TIME": shown,
                "PROJECT_LEAD": winner.manager.name,
                "PROJECT_LEAD_ID": winner.manager.id_number,
                "DATA_TIMESTAMP": shown,
            },
        )
    ]
    if not is_full:
        return made
    made += [
        (
            "BID_EVALUATION_EXPERT",
            {
                **base,
                "EXPERT_NAME": Person(9900 + (lot.number * 3 + i) % 20).name,
                "ID_CARD": Person(9900 + (lot.number * 3 + i) % 20).id_number,
                "IS_CHAIR_MAN": "1" if i == 0 else "0",
                "DATA_TIMESTAMP": shown,
            },
        )
        for i in range(3)
    ]
    others = sorted((bid for bid in lot.bids if bid is not winner), key=lambda bid: bid.price)
    made += [
        (
            "TENDER_CANDIDATE",
            {
                **base,
                "WIN_CANDIDATE_NAME": bid.firm.name,
                "WIN_CANDIDATE_CODE": bid.firm.code,
                "WIN_CANDIDATE_ORDER": str(rank),
                "BID_PRICE": amount(bid.price, unit),
                "PRICE_UINT": unit,
                "PRICE_CURRENCY": "156",
                "DATA_TIMESTAMP": shown,
            },
        )
        for rank, bid in enumerate([winner, *others[:2]], 1)
    ]
    made.append(
        (
            "CONTRACT_PERFORMANCE",
            {
                **base,
                "BIDDER_NAME": winner.firm.name,
                "BIDDER_CODE": winner.firm.code,
                "CONTRACT_PRICE": amount(winner.price, unit),
                "PRICE_UNIT": unit,
                "PRICE_CURRENCY": "156",
                "CONTRACT_SIGN_TIME": stamp(lot.opening + timedelta(days=20)),
                "DATA_TIMESTAMP": stamp(lot.opening + timedelta(days=20)),
            },
        )
    )
    return made


def purchases(county: County) -> dict[str, list[Row]]:
    """Return six government purchases of services, in their own tables."""
    firms = county.firms["市政"][24:30]
    projects: list[Row] = []
    offers: list[Row] = []
    deals: list[Row] = []
    for n in range(6):
        opening = datetime(2026, 3 + n % 3, 10 + n, 9, tzinfo=LOCAL)
        base = {
            "PURCHASE_SECTION_CODE": f"XWYLCG-2026-{n:03d}-01",
            "DATA_TIMESTAMP": stamp(opening + timedelta(hours=4)),
        }
        projects.append(
            base
            | {
                "PURCHASE_PROJECT_CODE": f"XWYLCG-2026-{n:03d}",
                "PURCHASE_PROJECT_NAME": f"样例物业服务采购第{n}号",
                "PURCHASE_SECTION_NAME": f"样例物业服务采购第{n}号第一包",
                "TENDER_PROJECT_TYPE": "D03",
                "PURCHASER_NAME": BUYERS[4],
                "PURCHASER_CODE": credit_code(14, "12"),
                "REGION_CODE": "410821",
                "PROGRAM_BUDGET": "80",
                "UNIT_BUDGET": "1",
                "BUDGET_CURRENCY": "156",
                "BID_OPEN_TIME": stamp(opening),
            }
        )
        chosen = county.rng.sample(firms, 4)
        prices = [round(800000 * county.rng.uniform(0.8, 0.97), 2) for _ in chosen]
        offers += [
            base
            | {
                "BIDDER_NAME": firm.name,
                "BIDDER_ORG_CODE": firm.code,
                "BID_PRICE": f"{price:.2f}",
                "PRICE_UNIT": "0",
                "PRICE_CURRENCY": "156",
                "PRICE_FORM_CODE": "1",
            }
            for firm, price in zip(chosen, prices, strict=True)
        ]
        best = prices.index(min(prices))
        deals.append(
            base
            | {
                "WINNINGBIDDER_NAME": chosen[best].name,
                "WINNINGBIDDER_CODE": chosen[best].code,
                "WIN_BID_PRICE": f"{prices[best]:.2f}",
                "PRICE_UNIT": "0",
                "CURRENCY_CODE": "156",
                "WIN_BID_BULLETIN_START_TIME": stamp(opening + timedelta(days=3)),
            }
        )
    return {"PURCHASE_PROJECT": projects, "PURCHASE_TENDER_LIST": offers, "BID_DEAL_ANNOUNCE": deals}


def amount(price_cny: float, unit: str) -> str:
    """Return a price in the unit of the flag: 0 元, 1 万元 (six decimals keep the fen)."""
    return f"{price_cny / 10000:.6f}" if unit == "1" else f"{price_cny:.2f}"


def registers(county: County) -> dict[str, list[Row]]:
    """Return the register of parties, the blacklist and its withdrawals."""
    heads = [
        (firm.code, firm.name, firm.person(4), "410821")
        for listed in county.firms.values()
        for firm in listed
    ]
    parties = [
        {
            "LEGAL_CODE": code,
            "LEGAL_NAME": name,
            "LEGAL_REPRESENT": head.name,
            "REPRESENT_PHONE": head.phone,
            "REGION_CODE": region,
        }
        for code, name, head, region in heads
    ]
    parties += [
        {
            "LEGAL_CODE": agency_code(n),
            "LEGAL_NAME": name,
            "LEGAL_REPRESENT": Person(9800 + n).name,
            "REPRESENT_PHONE": agency_phone(n),
            "REGION_CODE": "410000",
        }
        for n, name in enumerate(AGENCIES)
    ]
    withdrawals = [
        {
            "BODY_NAME": ban["BODY_NAME"],
            "BODY_CODE": ban["BODY_CODE"],
            "BLACKLIST_CODE": ban["BLACKLIST_CODE"],
            "REVOCATIONEASONS": "样例：处理决定被撤销",
            "GOVERNMENT": ban["GOVERNMENT"],
            "DOCUMENT_CODE": ban["DOCUMENT_CODE"].replace("罚", "撤"),
            "APPLICATION_DATE": ban["withdrawn"],
            "DATA_TIMESTAMP": ban["withdrawn"] + "180000",
        }
        for ban in county.bans
        if ban["withdrawn"]
    ]
    return {
        "LEGAL_PERSON_BASE": [party | {"DATA_TIMESTAMP": "20250701080000"} for party in parties],
        "BLACK_LIST": [
            {name: text for name, text in ban.items() if name != "withdrawn"} for ban in county.bans
        ],
        "WITHDRAW_BLACK_LIST": withdrawals,
    }
