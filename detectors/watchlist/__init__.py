"""Bans, sanctions and repeat offenders (名单)."""

TITLE = "Lists"
TITLE_ZH = "名单"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = "处罚已到期、撤销或者修复，限制范围不含本项目，一事多次登记；列入名单本身不说明本标段有问题"
