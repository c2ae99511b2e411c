"""After the award (标后履约)."""

TITLE = "After the award"
TITLE_ZH = "标后履约"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = "依法批准的变更或更换人员、材料调价、据实计量、登记不全或者录入错误、企业合并更名、依法代付"
