"""What the OCDS indicators are called, and why one may have no verdict, in two languages."""

from __future__ import annotations

TITLES = {
    "R003": ("Short submission period", "投标期限过短"),
    "R018": ("Single bid", "仅一家投标"),
    "R024": ("Price close to the winning bid", "次低价与中标价过近"),
    "R025": ("Many unsuccessful bids", "投标多而中标少"),
    "R028": ("Identical bid prices", "报价相同"),
    "R030": ("Late bid won", "逾期投标中标"),
    "R035": ("All except the winner disqualified", "除中标人外均被否决"),
    "R036": ("Lowest bid disqualified", "最低报价被否决"),
    "R038": ("Many disqualified bids", "否决投标比例高"),
    "R048": ("Heterogeneous supplier", "供应品类过杂"),
    "R058": ("Heavily discounted winning bid", "中标价显著偏低"),
}

#: Why a unit got no verdict.
REASONS = {
    "CANCELLED": ("the tender is cancelled", "采购已取消"),
    "EXCLUDED_BY_SETTINGS": ("the settings exclude this procurement method", "设置排除了该采购方式"),
    "METHOD_NOT_CHOSEN": (
        "the procurement method is not given, or the indicator is not for it",
        "未提供采购方式，或指标不适用于该方式",
    ),
    "NO_PERIOD": ("the submission period has no start or no end", "没有投标开始或截止时间"),
    "PERIOD_UNREADABLE": (
        "a date of the submission period is not a full date-time with time zone, or a placeholder",
        "投标起止时间不是带时区的完整时间，或为占位值",
    ),
    "NO_NUMBER_OF_TENDERERS": ("numberOfTenderers is not given", "没有投标人数（numberOfTenderers）"),
    "NO_BIDS": ("there are no submitted bids", "没有投标数据"),
    "NO_AWARDS": ("there are no awards", "没有授标数据"),
    "AWARD_NOT_FINAL": ("an award is pending, or its status is unknown", "有授标尚未确定或状态不明"),
    "NO_ACTIVE_AWARD": ("no award is active", "没有有效的授标"),
    "NO_SUPPLIER": ("the active award names no supplier with an id", "有效授标没有写明有编号的供应商"),
    "SEVERAL_AWARDS": (
        "several awards are active, so it is not known which bids compete; lots are judged under Lot",
        "有多个有效授标，竞争关系不明；分标段的判断见 Lot",
    ),
    "SUPPLIERS_NOT_ONE": (
        "the award does not name exactly one supplier with an id",
        "授标不是恰有一家有编号的供应商",
    ),
    "SEVERAL_CURRENCIES": ("the bids are in several currencies", "报价币种不一"),
    "NO_WINNING_PRICE": (
        "the winner has no valid bid of its own with a price",
        "中标人没有带价格的单独有效投标",
    ),
    "NO_SECOND_PRICE": (
        "nobody else has a valid bid of its own with a price",
        "没有其他带价格的单独有效投标",
    ),
    "WINNER_NOT_LOWEST": (
        "the winning price is not the lowest: not awarded by price alone",
        "中标价不是最低价，并非仅按价格授标",
    ),
    "PRICE_NOT_POSITIVE": ("the winning price is zero or negative", "中标价为零或负数"),
    "RATIO_TOO_LARGE": (
        "the next price is so many times the winning price that the ratio is no number",
        "次低价与中标价之比过大，无法表示为数字",
    ),
    "FEWER_THAN_TWO_PRICES": (
        "fewer than two different tenderers have a price in one currency",
        "同币种报价不足两家",
    ),
    "NO_VALID_PRICE": ("no valid bid has a price", "没有带价格的有效投标"),
    "NO_VALID_BIDDER": ("no valid bid names its tenderer", "没有写明投标人的有效投标"),
    "SEVERAL_WINNERS": ("the active awards name several suppliers", "有效授标涉及多家供应商"),
    "NO_DEADLINE": ("there is no deadline, or it cannot be read", "没有截止时间或无法识别"),
    "NO_WINNING_BID": ("no valid bid is by an awarded supplier", "有效投标中没有中标供应商的投标"),
    "BID_UNDATED": (
        "a winner's bid has no date that can be compared with the deadline",
        "中标人的投标没有可与截止时间比较的日期",
    ),
    "TOO_FEW_BIDS": ("fewer submitted bids than the minimum", "投标数少于下限"),
    "TOO_FEW_PROCESSES": ("fewer contracting processes than the minimum", "项目数少于下限"),
    "NO_DECIDED_BID": (
        "no valid bid of its own where one final award went to one supplier",
        "没有在结果唯一且确定的项目中单独有效投标",
    ),
    "NO_CLASSIFIED_ITEM": ("no classified item was awarded to it alone", "没有单独中标且带分类的标的物"),
    "FENCE_NOT_POSITIVE": (
        "the first quartile or the fence is not above zero, so the rule cannot tell anybody apart",
        "四分位数或界限不大于零，规则无法区分",
    ),
}

NOTES = {
    "ZERO_RANGE": (
        "the middle half of the values are equal: the fence is that value, and everybody at it is flagged",
        "中间一半的数值相同，界限即该值，达到者均被标记",
    ),
    "MANY_FLAGGED": (
        "more than a fifth of what could be judged is flagged: expect most of these to be innocent",
        "被标记的超过可判断对象的五分之一，多数可能属正常情况",
    ),
}
