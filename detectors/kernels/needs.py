"""What many detectors need of a lot before they can judge it (`detectors.interface.Need`)."""

from __future__ import annotations

from detectors.interface import Need

BIDS = Need("no bids", "无投标记录", "SELECT DISTINCT lot_id AS unit FROM core.bids")

OPENING_DAY = Need(
    "day of opening unknown",
    "开标日期不明",
    "SELECT lot_id AS unit FROM core.lots WHERE opened_on IS NOT NULL",
)

AWARD = Need(
    "not awarded, or the winner is unknown",
    "未定标或中标人不明",
    "SELECT lot_id AS unit FROM core.awards UNION SELECT lot_id AS unit FROM core.bids WHERE is_winner",
)

WHOLE_LOT = Need(
    "incomplete: bids are missing, refused or without a price that could be read",
    "投标不完整：有投标未报送、被拒收或报价未能识别",
    "SELECT lot_id AS unit FROM core.lots WHERE NOT coalesce(is_incomplete, FALSE)",
)

PRICES = Need(
    "no valid prices in one currency", "无同一币种的有效报价", "SELECT lot_id AS unit FROM feat.lot_prices"
)

ENOUGH_PRICES = Need(
    "too few valid prices",
    "有效报价家数不足",
    "SELECT lot_id AS unit FROM feat.lot_prices WHERE bids >= $min_bids",
)

AWARD_METHOD = Need(
    "award method unknown",
    "评标办法不明",
    "SELECT lot_id AS unit FROM core.lots WHERE award_method IS NOT NULL",
)

LOWEST_PRICE = Need(
    "not awarded by the lowest price",
    "不采用最低价法",
    "SELECT lot_id AS unit FROM core.lots WHERE award_method = 'lowest_price'",
)

COMPARABLE_LOTS = Need("too few comparable lots", "可比标段不足")


ESTIMATE = Need(
    "no estimate in the currency of the bids",
    "无与报价同币种的招标人估算价",
    "SELECT p.lot_id AS unit FROM feat.lot_prices AS p"
    " JOIN core.lots AS l ON l.lot_id = p.lot_id AND l.currency = p.currency WHERE l.estimate_price > 0",
)

PENALTIES = Need(
    "no penalties delivered",
    "未收到处罚记录",
    "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.penalties)",
)

CODED_BIDDER = Need(
    "no bidder known by code",
    "投标人均无统一社会信用代码",
    "SELECT lot_id AS unit FROM core.bid_members WHERE party_id NOT LIKE 'name:%'",
)

CONTRACT = Need("no contract delivered", "未收到合同", "SELECT lot_id AS unit FROM core.contracts")


def enough_prices(limit: str) -> Need:
    """Return `ENOUGH_PRICES` for a detector whose limit of valid prices has another name than ``min_bids``."""
    return Need(
        ENOUGH_PRICES.lack,
        ENOUGH_PRICES.lack_zh,
        f"SELECT lot_id AS unit FROM feat.lot_prices WHERE bids >= ${limit}",
    )


def held(sql: str, lack: str, lack_zh: str) -> tuple[Need, Need]:
    """Return the needs of a detector of shared values: that any bidder of the lot holds one, and that two do.

    Args:
        sql: gives `detectors.kernels.firms.sharing.shared` its rows; columns ``lot_id`` and ``bidder_id`` are used.
        lack, lack_zh: what the lot lacks where nobody holds a value, such as ``no deposit accounts``.
    """
    return (
        Need(lack, lack_zh, f"SELECT DISTINCT lot_id AS unit FROM ({sql}) AS held"),
        Need(
            "only one bidder of the lot has them delivered",
            "仅一家投标人有此记录",
            f"SELECT lot_id AS unit FROM ({sql}) AS held GROUP BY lot_id HAVING count(DISTINCT bidder_id) >= 2",
        ),
    )
