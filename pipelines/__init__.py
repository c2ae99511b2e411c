"""Everything that touches the world: files, the clock, DuckDB, SQLite, Prefect, the command line.

A folder a station, in the order of ``night.py``; each knows those above it in this list, and none below:

- the ground: ``settings`` (where things are), ``reference`` (facts, and what a county puts over them), ``store`` and
  ``audit`` (what happened), ``vault`` (clear text of personal values), ``installation`` (is it whole), ``duck`` (the one
  door to DuckDB), ``files``, ``times``, and ``values`` (texts of records as amounts, codes, times and tokens);
- ``intake``: inbox to raw bytes to typed rows, or refused rows with a reason;
- ``snapshot``: typed rows to an unpublished snapshot, its gates, and what every detector could judge in it;
- ``findings``: flagged rows to signals, rows of the alert list, and what goes to which office;
- ``casework``: what people do with it: cases, referrals, clocks, complaints, watch list, draws, deliveries;
- ``publishing``, ``night_report``, ``night``: one night from end to end; ``night`` alone gathers what people decided
  and hands it down; ``nightly`` is the same night under Prefect;
- ``commands`` and ``cli``: the desk.

Beside the night stand ``indicators`` (OCDS red flags), ``simulator`` (an invented county) and ``workshop`` (what
judges the detectors). ``tests/test_floors.py`` holds the order.
"""
