from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reports.alert_list import LEVEL_BY_GRADE, Alert


@pytest.fixture
def alert():
    """Build an alert about two made-up firms; keyword arguments replace fields."""

    def build(**changes):
        grade = changes.get("grade", "A")
        facts = {
            "alert_id": "SAAAAAAAAAAAAAAAA",
            "level": LEVEL_BY_GRADE[grade],
            "family": "共用联系方式",
            "detector": "contacts.same_payer_account",
            "finding_zh": "不同投标人的保证金从同一账户转出的疑似线索",
            "legal_zh": "招标投标法实施条例第四十条第（六）项",
            "project_type": "A01",
            "tender_id": "E4108210001000001001",
            "tender_name": "示例小学教学楼工程",
            "lot_id": "E4108210001000001001001",
            "lot_name": "示例小学教学楼工程施工",
            "deal_code": "A01-114108210000000000-20261122-000001-0",
            "buyer_name": "示例县教育局",
            "buyer_code": "114108210000000001",
            "agency_name": "示例招标代理有限公司",
            "agency_code": "91410821MA0000000A",
            "opened_at": datetime(2026, 11, 22, 1, 30, tzinfo=UTC),
            "bidders": 5,
            "ceiling_price_cny": Decimal("12345678.900000"),
            "winner_name": "甲建设有限公司",
            "award_price_cny": Decimal("12000000.123400"),
            "party_names": ("甲建设有限公司", "乙建筑有限公司"),
            "party_codes": ("911100006000373416", ""),
            "key_facts_zh": "2 家投标人的保证金来自同一账户 ****1234。",
            "grade": grade,
            "score": 0.9,
            "source_zh": "示例交易中心",
            "source_at": datetime(2026, 11, 22, 12, 0),  # noqa: DTZ001 (UTC, as core stores it)
            "alerted_at": datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
            "supervisor_name": "住房和城乡建设局",
            "supervisor_code": None,
            "suggestion_zh": "核对转账凭证",
            "due_on": None,
        }
        return Alert(**(facts | changes))

    return build
