"""The kinds of lots of the county: their share, sizes, bidders and award rules.

The shares, sizes and numbers of bidders were set between those of the real sets that `make marginals`
prints beside the simulated ones; no set was matched closely. A segment is a trade and a lot class.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Award rules of works and their shares: ids of data/reference/award_rules.toml.
WORKS_RULES = (
    ("lowest", 0.74),
    ("ceiling_mean_mix", 0.06),
    ("trimmed_mean", 0.03),
    ("drawn_factor", 0.03),
    ("drawn_discount", 0.02),
    ("trimmed_by_count", 0.02),
    ("range_mean", 0.02),
    ("comprehensive", 0.08),
)
SERVICE_RULES = (("lowest", 0.50), ("comprehensive", 0.40), ("drawn_discount", 0.10))
PURCHASE_RULES = (("price_share", 0.8), ("lowest", 0.2))


@dataclass(frozen=True)
class Segment:
    """One kind of lots.

    ``share`` of all lots; ``firms`` of one county of 2,000 lots; ``log_size`` mean and standard deviation of
    log10 of the ceiling price in yuan; ``bidders`` the middle number of bids of an ordinary lot; ``open_share``
    the share of lots that many firms can do, with a long tail of bids.
    """

    key: str
    name: str
    kind: str
    project_type: str
    class_code: str
    share: float
    firms: int
    log_size: tuple[float, float]
    bidders: float
    open_share: float
    rules: tuple[tuple[str, float], ...]
    channel: str
    supervisor: str
    regime: str = "construction"


SEGMENTS = (
    Segment("building", "房建工程", "建设工程", "A01", "A08", 0.22, 130, (6.95, 0.50), 4.9, 0.04,
            WORKS_RULES, "housing", "住房和城乡建设局"),
    Segment("municipal", "市政工程", "市政工程", "A02", "A08", 0.17, 100, (6.85, 0.50), 4.9, 0.05,
            WORKS_RULES, "housing", "住房和城乡建设局"),
    Segment("road", "公路工程", "路桥工程", "A03", "A08", 0.11, 70, (6.95, 0.50), 4.6, 0.04,
            WORKS_RULES, "old_system", "交通运输局"),
    Segment("water", "水利工程", "水利工程", "A07", "A08", 0.10, 60, (6.75, 0.50), 4.6, 0.04,
            WORKS_RULES, "exchange", "水利局"),
    Segment("landscape", "园林绿化工程", "园林绿化", "A98", "A08", 0.06, 50, (6.5, 0.45), 5.2, 0.06,
            WORKS_RULES, "housing", "住房和城乡建设局"),
    Segment("supervision", "工程监理", "工程监理", "A01", "A05", 0.09, 40, (5.75, 0.40), 4.6, 0.02,
            SERVICE_RULES, "housing", "住房和城乡建设局"),
    Segment("design", "工程设计", "设计咨询", "A02", "A04", 0.07, 40, (5.9, 0.40), 4.6, 0.01,
            SERVICE_RULES, "housing", "住房和城乡建设局"),
    Segment("network", "信息网络工程", "信息技术", "A13", "A09", 0.03, 5, (6.0, 0.35), 4.4, 0.0,
            SERVICE_RULES, "exchange", "数据局"),
    Segment("goods", "货物采购", "商贸", "D01", "", 0.08, 70, (5.6, 0.45), 4.2, 0.0,
            PURCHASE_RULES, "procurement", "财政局", "government_procurement"),
    Segment("services", "服务采购", "服务", "D03", "", 0.07, 60, (5.7, 0.40), 4.4, 0.0,
            PURCHASE_RULES, "procurement", "财政局", "government_procurement"),
)  # fmt: skip
KEYS = tuple(segment.key for segment in SEGMENTS)
#: The thin market where the same few firms always meet (an innocent look-alike of a ring).
NICHE = KEYS.index("network")
