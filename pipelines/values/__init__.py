"""Texts of records as values: amounts, codes, times, tokens of persons. SQL over columns, no tables and no files."""
