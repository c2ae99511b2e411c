"""What the night's page says beside the figures."""

import pytest

from pipelines.night_report import silent_sources
from pipelines.store import opened


@pytest.fixture
def nights(tmp_path):
    """Write down nights of one day each, by who sent something before them."""
    with opened(tmp_path / "control.sqlite") as store:

        def of(*senders, again=()):
            with store.transaction() as con:
                for day, sources in [*enumerate(senders, 1), *((len(senders), each) for each in again)]:
                    for source in sources:
                        con.execute(
                            "INSERT INTO arrival (source, name, raw_sha, received_at, actor) VALUES (?, 'f', 'x', 't', 'a')",
                            (source,),
                        )
                    con.execute(
                        "INSERT INTO night (as_of, state, summary, last_arrival, finished_at)"
                        " VALUES (?, 'published', '{}', (SELECT coalesce(max(id), 0) FROM arrival), 't')",
                        (f"2026-07-{day:02}",),
                    )
            return silent_sources(store, f"2026-07-{len(senders):02}")

        yield of


def test_a_source_that_sent_every_night_is_missed_when_it_sends_nothing(nights):
    said = nights(*["ab"] * 5, "a")
    assert len(said) == 1
    assert said[0].startswith("来源 b 今晚没有报送")


@pytest.mark.parametrize(
    "senders",
    [
        ["ab"] * 6,
        ["ab", "ab", "a", "ab", "ab", "a"],  # not every night
        ["ab"] * 4 + ["a"],  # too few nights to tell
    ],
)
def test_a_source_that_is_often_away_or_hardly_known_is_not_missed(nights, senders):
    assert nights(*senders) == []


def test_a_night_that_is_repeated_the_same_day_is_one_night(nights):
    assert nights(*["ab"] * 6, again=[""]) == []
