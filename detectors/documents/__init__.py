"""Bid documents that resemble each other (文件雷同)."""

TITLE = "Documents alike"
TITLE_ZH = "文件雷同"
#: Innocent explanations of such evidence, read first in a letter about it.
EXPLANATION_ZH = (
    "招标人提供的文件或模板、同一文印或咨询机构制作、外购通用文本、产品目录和标准的原文、曾组成联合体"
)
