"""Price patterns within a lot (报价形态)."""

TITLE = "Price patterns"
TITLE_ZH = "报价形态"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = (
    "同一计价依据或信息价、取整习惯、按统一费率下浮、最高限价过紧、投标人较多时的偶然接近、计算错误"
)
