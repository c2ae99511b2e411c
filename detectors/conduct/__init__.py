"""The process and the buyer's side (招标过程)."""

TITLE = "Process and buyer's side"
TITLE_ZH = "招标过程"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = "经批准采用其他方式、投诉或复议期间、登记晚于实际、市场本身竞争不足、专家或企业专业面窄"
