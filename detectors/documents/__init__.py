"""Bid documents that resemble each other (文件雷同)."""
