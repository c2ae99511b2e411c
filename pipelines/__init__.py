"""Everything that touches the world: files, the clock, DuckDB, SQLite, Prefect, the command line.

The stations, in the order of ``night.py``: ``intake`` (inbox to raw bytes, raw bytes to typed rows or refused rows
with a reason) -> ``snapshot`` (typed rows to stage and core tables, gates, every detector over them) -> ``findings``
(signals, alerts, who is told) -> ``publishing`` (the snapshot becomes the current one) -> ``night_report``. What people
do afterwards is ``casework``. ``tests/test_floors.py`` says which folder may import which.
"""
