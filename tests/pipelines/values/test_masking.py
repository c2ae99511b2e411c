# Which numbers in running text are personal, and become the tokens that they have everywhere.

import pytest

from pipelines import duck
from pipelines.intake import bronze
from pipelines.reference import Reference
from pipelines.values import masking, tokens
from pipelines.values.literals import quoted

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def con():
    return duck.connect()


@pytest.fixture
def masked(con):
    placeholders = bronze.load_references(KEY, Reference()).placeholders

    def mask(text):
        sql = masking.masked(KEY, "x", placeholders)
        return con.execute(f"SELECT {sql} FROM (SELECT $text AS x)", {"text": text}).fetchall()[0][0]

    return mask


@pytest.fixture
def token(con):
    def token_of(kind, text):
        sql = tokens.token(KEY, quoted(kind), tokens.normalised(kind, quoted(text)))
        return con.execute(f"SELECT {sql}").fetchall()[0][0]

    return token_of


@pytest.mark.parametrize(
    ("written", "kind", "plain"),
    [
        ("13912345678", "phone", "13912345678"),
        ("139-1234-5678", "phone", "13912345678"),
        ("139 1234 5678", "phone", "13912345678"),
        ("86 13912345678", "phone", "13912345678"),
        ("１３９１２３４５６７８", "phone", "13912345678"),
        ("0391-7123456", "phone", "03917123456"),
        ("410821199003070020", "id_number", "410821199003070020"),
        ("41082119900307002x", "id_number", "41082119900307002X"),
        ("410821 19900307 0020", "id_number", "410821199003070020"),
        ("999999185003070021", "id_number", "999999185003070021"),
        ("6222 0202 0000 1111 222", "account", "6222020200001111222"),
        ("6222020200001111222", "account", "6222020200001111222"),
        ("Zhang.San@163.com", "email", "zhang.san@163.com"),
    ],
)
def test_a_personal_number_has_the_token_that_it_has_in_a_column(masked, token, written, kind, plain):
    assert masked(f"联系人张三，{written}，请来电。") == f"联系人张三，{token(kind, plain)}，请来电。"
    assert masked(written) == token(kind, plain)


@pytest.mark.parametrize(
    ("before", "number", "kind"),
    [
        ("电话：", "7123456", "phone"),
        ("Tel", "03917123456", "phone"),
        ("开户账号：", "170902010920", "account"),
        ("身份证号码：", "410821900307002", "id_number"),
        ("身份证编号 ", "410821900307002", "id_number"),
    ],
)
def test_a_word_before_it_says_what_a_number_is(masked, token, before, number, kind):
    assert masked(f"{before}{number}。") == f"{before}{token(kind, number)}。"


@pytest.mark.parametrize(
    "text",
    [
        "投标报价 13912345678.00 元",
        "大写壹佰万元整（¥1,234,567,890,123.00）",
        "统一社会信用代码91410821YL012HL49M",
        "统一社会信用代码：911100001000013449",
        "标段编号：410821202605001234",
        "标段E4108210000000001001001",
        "410821202605010001",
        "2026050112345678",
        "证书编号：1234567890123456",
        "工期 2026-05-01 至 2026-12-31",
        "电话：13800138000",
        "无",
        "二〇二六年五月",
        "",
    ],
)
def test_amounts_codes_lot_numbers_and_what_stands_for_nobody_stay(masked, text):
    assert masked(text) == text


def test_two_numbers_in_one_line_are_both_replaced(masked, token):
    phone, fixed = token("phone", "13912345678"), token("phone", "03917123456")
    assert masked("电话13912345678、传真（0391）7123456") == f"电话{phone}、传真（{fixed}"


def test_what_was_replaced_can_be_sealed(con):
    sql = masking.clear(KEY, "x", bronze.load_references(KEY, Reference()).placeholders)
    text = "电话：139-1234-5678，邮箱A@b.cn，备用13800138000"
    ((found,),) = con.execute(f"SELECT {sql} FROM (SELECT $text AS x)", {"text": text}).fetchall()
    assert [(one["kind"], one["plain"]) for one in found] == [("phone", "13912345678"), ("email", "a@b.cn")]
    assert all(one["token"].startswith("h1:") for one in found)


def test_a_screen_shows_no_number_of_a_person():
    assert masking.hidden("电话139 1234 5678，a@b.cn；第3页共120页") == "电话***，***；第3页共120页"


@pytest.mark.parametrize(
    "text",
    ["见 13900000001", "0391-7654321", "a.b@example.org", "11010119800101123x", "１３９０００００００１"],
)
def test_a_text_with_a_number_of_a_person_is_not_shown(text):
    assert masking.may_be_personal(text)


@pytest.mark.parametrize(
    "text",
    ["E4108210000000001001001", "91410821YL012HL49M", "1040000.55", "2026年5月6日9:30", "河州甲建设有限公司"],
)
def test_a_number_of_something_else_is_shown(text):
    assert not masking.may_be_personal(text)
