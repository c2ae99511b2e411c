"""How a county overrides reference data: one rule for every file, and nothing is ignored in silence."""

import pytest
from places import REPO

from detectors.overlay import SHIPPED
from pipelines.intake import bronze
from pipelines.reference import KEYS, Overlay, Reference
from pipelines.settings import Home


@pytest.fixture
def local(tmp_path):
    def put(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8-sig")
        return Reference(tmp_path)

    return put


def values(known, name, column):
    return [row.values[column] for row in known.rows(name)]


def test_without_a_home_the_shipped_rows_are_in_force():
    assert "housing" in values(Reference(), "offices.csv", "office")
    assert Reference().overlays() == []


def test_a_row_with_a_known_key_takes_its_place_and_a_new_one_is_added(local):
    head = "office,name_zh,name_en,role,copies_to,basis,seen\n"
    known = local(
        "offices.csv",
        head + "housing,住建局,bureau,regulator,,本地,yes\nnew-office,新局,new,regulator,,本地,yes\n",
    )
    offices = values(known, "offices.csv", "office")
    assert offices == [*values(Reference(), "offices.csv", "office"), "new-office"]
    (housing,) = (row for row in known.rows("offices.csv") if row.values["office"] == "housing")
    assert (housing.values["name_zh"], housing.is_local) == ("住建局", True)
    assert housing.where.endswith("offices.csv, line 2")
    assert known.overlays() == [Overlay("offices.csv", 1, 1)]


def test_a_table_takes_the_place_of_the_shipped_one(local):
    known = local("award_rules.toml", '[lowest]\ntitle = "Own"\n')
    assert known.tables("award_rules.toml")["lowest"] == {"title": "Own"}
    assert known.tables("award_rules.toml").keys() == Reference().tables("award_rules.toml").keys()


def test_a_placeholder_of_the_county_is_read_and_makes_other_bronze(local):
    known = local("placeholders.csv", "value,kind,source\n待补,phone,local\n")
    assert "待补" in bronze.load_references(bytes(32), known).placeholders["phone"]
    assert known.digest("placeholders.csv") != Reference().digest("placeholders.csv")
    assert known.digest("regions.csv") == Reference().digest("regions.csv")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("office.csv", "a\n1\n", "nothing reads a file of this name"),
        ("deadlines.csv", "a\n1\n", "nothing reads a file of this name"),
        ("powers.csv", "power,office\n", "column 'project_type_prefix' is missing"),
        ("workdays.csv", "date,is_workday,status,notice,x\n", "column 'x' is not known"),
        (
            "placeholders.csv",
            "value,kind,source\n-,phone,a\n-,phone,b\n",
            "line 3: value '-', kind 'phone' stands there twice",
        ),
        ("award_rules.toml", "[lowest\n", "award_rules.toml: "),
    ],
)
def test_what_cannot_be_used_is_an_error_with_its_place(local, name, text, said):
    with pytest.raises(ValueError, match=said):
        local(name, text).overlays()


def test_a_number_that_is_none_names_its_file(local):
    with pytest.raises(ValueError, match=r"award_rules\.toml: .*write a finite number"):
        local("award_rules.toml", "[lowest]\nk = nan\n").digest("award_rules.toml")


def test_a_change_of_the_file_is_seen_at_once(local):
    head = "value,kind,source\n"
    assert "a" in values(local("placeholders.csv", head + "a,phone,x\n"), "placeholders.csv", "value")
    assert "bb" in values(local("placeholders.csv", head + "bb,phone,x\n"), "placeholders.csv", "value")


def test_every_file_that_may_be_overlaid_has_its_key_columns():
    for name, columns in KEYS.items():
        assert set(columns) <= set(Reference().rows(name)[0].values), name
        assert (SHIPPED / name).is_file()


def test_what_stood_at_the_top_of_the_home_is_taken_over(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "centre.toml").write_text("a", encoding="utf-8")
    (tmp_path / "routing.csv").write_text("b", encoding="utf-8")
    home = Home(tmp_path).prepare()
    assert (home.sources / "centre.toml").read_text(encoding="utf-8") == "a"
    assert home.reference.file("routing.csv").read_text(encoding="utf-8") == "b"
    (tmp_path / "routing.csv").write_text("c", encoding="utf-8")
    with pytest.raises(ValueError, match="both are there"):
        home.prepare()


def test_the_shipped_folder_is_described():
    readme = (REPO / "data" / "reference" / "README.md").read_text(encoding="utf-8")
    for path in SHIPPED.iterdir():
        assert path.name == "README.md" or path.name in readme, path.name
