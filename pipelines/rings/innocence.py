"""Innocent explanations of a ring that the records can speak to, with what was counted. Nothing here changes a score."""

from __future__ import annotations

import duckdb

#: Each gives one row per ring: ring, then the numbers of its sentences, in order.
CHECKS: dict[str, tuple[str, str, str]] = {
    "thin_market": (
        """
        WITH places AS (
            SELECT DISTINCT r.ring, l.class, l.region_code
            FROM risk.ring_lots AS r JOIN core.lots AS l ON l.lot_id = r.lot_id
        )
        SELECT p.ring, count(DISTINCT b.bidder_id), any_value(g.firms)
        FROM places AS p
        JOIN core.lots AS l ON l.class IS NOT DISTINCT FROM p.class AND l.region_code IS NOT DISTINCT FROM p.region_code
        JOIN core.bids AS b ON b.lot_id = l.lot_id
        JOIN (SELECT ring, count(*) AS firms FROM risk.ring_firms GROUP BY ring) AS g ON g.ring = p.ring
        GROUP BY p.ring
        """,
        "市场企业数量：同类、同地区标段共有 {0} 家投标人，本组 {1} 家",
        "size of the market: {0} bidders in lots of the same class and region, {1} of them in the group",
    ),
    "same_agency": (
        """
        WITH counted AS (
            SELECT r.ring, coalesce(l.agency_code, l.agency_name) AS agency, count(*) AS lots
            FROM risk.ring_lots AS r JOIN core.lots AS l ON l.lot_id = r.lot_id
            GROUP BY ALL
        )
        SELECT ring, coalesce(max(lots) FILTER (agency IS NOT NULL), 0), sum(lots),
               count(*) FILTER (agency IS NOT NULL)
        FROM counted GROUP BY ring
        """,
        "同一代理机构：{1} 个标段中最多 {0} 个由同一代理机构办理，涉及代理机构 {2} 家",
        "one agency: at most {0} of the {1} lots were run by one agency, {2} agencies in all",
    ),
    "affiliates": (
        """
        SELECT g.ring, count(DISTINCT least(g.party_id, o.party_id) || greatest(g.party_id, o.party_id))
        FROM risk.ring_firms AS g
        JOIN risk.ring_firms AS o ON o.ring = g.ring AND o.party_id <> g.party_id
        JOIN core.relations AS a ON a.party_id = g.party_id
        JOIN core.relations AS b ON b.party_id = o.party_id
        WHERE a.holder_id = o.party_id OR b.holder_id = g.party_id OR a.holder_id = b.holder_id
        GROUP BY g.ring
        """,
        "登记的关联关系：成员两两之间有 {0} 对存在登记的投资或共同投资关系",
        "registered affiliation: {0} pairs of members own each other or have a common owner on record",
    ),
    "joint_venture": (
        """
        SELECT g.ring, count(DISTINCT m.lot_id)
        FROM risk.ring_firms AS g
        JOIN core.bid_members AS m ON m.party_id = g.party_id AND m.is_joint_venture_member
        JOIN core.bid_members AS o ON o.lot_id = m.lot_id AND o.bidder_id = m.bidder_id AND o.party_id <> m.party_id
            AND o.is_joint_venture_member
        JOIN risk.ring_firms AS h ON h.ring = g.ring AND h.party_id = o.party_id
        GROUP BY g.ring
        """,
        "联合体：成员曾在 {0} 个标段以联合体身份共同投标（同一联合体内的共用信息不计入）",
        "joint venture: members were partners of one joint bid in {0} lots (what partners share does not count)",
    ),
    "on_site": (
        """
        SELECT r.ring, count(DISTINCT f.lot_id) FILTER (f.is_on_site), count(DISTINCT r.lot_id)
        FROM risk.ring_lots AS r
        LEFT JOIN core.fingerprints AS f ON f.lot_id = r.lot_id
        GROUP BY r.ring
        """,
        "现场上传：{1} 个标段中有 {0} 个含交易中心现场上传的文件（现场设备不计入）",
        "uploads on site: {0} of the {1} lots have files uploaded at the trading centre (its machines do not count)",
    ),
    "hubs": (
        """
        SELECT g.ring, (SELECT count(DISTINCT value) FROM risk.hubs)
        FROM (SELECT DISTINCT ring FROM risk.ring_firms) AS g
        """,
        "复印店、造价咨询、运营商地址等：全库 {0} 个众多无关联主体共有的信息已剔除，未计入",
        "copy shops, consultants, carrier addresses: {0} values that many unrelated firms share were left out",
    ),
}


def checks(con: duckdb.DuckDBPyConnection) -> dict[int, list[dict[str, str]]]:
    """Return, for every ring of ``risk.ring_firms``, what was counted for each innocent explanation.

    Returns:
        by ring, rows of ``check``, ``zh`` and ``en``; where a query gives no row, its numbers are nought.
    """
    found: dict[int, list[dict[str, str]]] = {
        ring: []
        for (ring,) in con.execute("SELECT DISTINCT ring FROM risk.ring_firms ORDER BY ring").fetchall()
    }
    for name, (sql, zh, en) in CHECKS.items():
        rows = {ring: numbers for ring, *numbers in con.execute(sql).fetchall()}
        for ring, told in found.items():
            numbers = rows.get(ring, [0, 0, 0])
            told.append({"check": name, "zh": zh.format(*numbers), "en": en.format(*numbers)})
    return found
