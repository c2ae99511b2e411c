import csv

from detectors import registry
from reports.catalogue import CATALOGUE, LEGAL_BASIS, catalogue


def laws():
    with LEGAL_BASIS.open(encoding="utf-8", newline="") as file:
        return {row["basis_id"]: row for row in csv.DictReader(file)}


def test_catalogue_is_up_to_date():
    expected = catalogue(registry.load(), laws())
    assert CATALOGUE.read_text(encoding="utf-8") == expected, "run: python -m reports.catalogue"


def test_catalogue_shows_the_limits_in_force(tmp_path):
    overrides = tmp_path / "thresholds.toml"
    overrides.write_text("[prices.low_dispersion]\nmax_p = 0.0123\n", encoding="utf-8")
    text = catalogue(registry.load(overrides), laws())
    assert "| `max_p` | 0.0123 |" in text
    assert "limit 1.2%" in text


def test_catalogue_has_a_section_for_every_detector():
    text = catalogue(registry.load(), laws())
    for detector in registry.load():
        assert f"\n## {detector.id}\n" in text
        assert detector.facts.title_zh in text
