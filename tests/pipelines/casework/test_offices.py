import pytest

from pipelines.casework.offices import competent_office, members, offices, powers
from pipelines.reference import Reference

CRIME = "POLICE-223"
KNOWN = Reference()


def test_every_office_of_the_default_division_has_the_power_for_what_it_gets():
    """Routing sends nothing to an office that may not take it."""
    lacking = []
    for row in (each.values for each in KNOWN.rows("routing.csv")):
        prefix = row["project_type_prefix"]
        have = [
            power
            for power in powers(KNOWN).values()
            if power.office == row["recipient_id"]
            and power.kind == "regulator"
            and prefix.startswith(power.project_type_prefix)
        ]
        if prefix and not have:
            lacking.append((prefix, row["recipient_id"]))
        assert offices(KNOWN)[row["recipient_id"]].name_zh == row["name_zh"]
    assert lacking == []


def test_an_office_takes_what_its_power_covers():
    office, power = competent_office(KNOWN, "housing", "HOUSING-A01", ["A01"])
    assert (office.name_zh, power.kind) == ("住房和城乡建设局", "regulator")


def test_crime_goes_to_the_police_whatever_the_project():
    assert competent_office(KNOWN, "police", CRIME, ["A01", "D02"])[1].kind == "police"


def test_an_office_without_the_power_is_refused_and_the_right_power_is_named():
    with pytest.raises(ValueError, match="powers for A07: WATER-A07"):
        competent_office(KNOWN, "housing", "HOUSING-A01", ["A07"])


@pytest.mark.parametrize(
    ("office", "power", "said"),
    [
        ("housing", CRIME, "housing has no power"),
        ("nobody", CRIME, "no office"),
        ("court", "X", "it has: none"),
    ],
)
def test_an_unknown_office_or_power_is_refused(office, power, said):
    with pytest.raises(ValueError, match=said):
        competent_office(KNOWN, office, power, [])


def test_the_police_copy_to_the_procuratorate_and_regulators_to_the_coordinator():
    assert offices(KNOWN)["police"].copies_to == ("procuratorate", "development-reform")
    assert offices(KNOWN)["housing"].copies_to == ("development-reform",)
    assert offices(KNOWN)["discipline"].copies_to == ()


def test_every_office_is_told_of_penalties():
    assert len(members(KNOWN)) == len(offices(KNOWN))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,甲,a,regulator,,x,yes\na,乙,b,regulator,,x,yes\n", "twice"),
        ("a,甲,a,regulator,b,x,yes\n", "copies to 'b'"),
    ],
)
def test_a_faulty_list_of_offices_is_refused(tmp_path, rows, said):
    (tmp_path / "offices.csv").write_text(
        "office,name_zh,name_en,role,copies_to,basis,seen\n" + rows, encoding="utf-8"
    )
    with pytest.raises(ValueError, match=said):
        offices(Reference(tmp_path))
