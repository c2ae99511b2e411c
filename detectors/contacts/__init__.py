"""Shared people, phones, accounts, devices and ownership (关联关系)."""

TITLE = "Shared contacts"
TITLE_ZH = "关联关系"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = (
    "代理或服务机构代办、担保或支付平台代付、办公楼或运营商共用地址、设备克隆、登记信息过期或录入错误、重名"
)
