"""Rings, pairs, rotation and award-rule tests (串通行为)."""

TITLE = "Bidding together"
TITLE_ZH = "串通行为"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = (
    "专业市场企业少、地域运距或成本相近、同一造价咨询机构分别编制、截止前集中上传、关联企业依法投不同标段"
)
