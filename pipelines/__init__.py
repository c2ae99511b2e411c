"""Everything that touches the world: files, the clock, DuckDB, SQLite, Prefect, the command line.

The stations, in the order of ``night.py``: receiving (inbox to raw bytes) -> parsing (raw to
typed rows, or refused rows with a reason) -> warehouse (typed rows to the published snapshot) ->
gates (may it be published?) -> screening (every detector over the snapshot) -> signals -> outbox.
"""
