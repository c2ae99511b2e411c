"""Programs that outsiders run alone, with Python and nothing else: replay a draw, verify the log."""
