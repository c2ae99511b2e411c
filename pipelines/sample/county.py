"""The invented county: firms, lots, and honest bids.

Everything is drawn from one seed with ``random.Random``.

Nobody in it exists: names carry 样例; credit codes have the unassigned region 419999 and an
organisation number that begins with YL; document numbers have region 999999 and birth year 1850;
phones begin with 12, as no Chinese mobile number does; addresses come from the documentation
networks (192.0.2.0/24); the maker D0-00-00 of the network cards is made up. Check digits fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from random import Random
from statistics import fmean

SEED = 410821
LOCAL = timezone(timedelta(hours=8))
FIRST_DAY = datetime(2025, 7, 7, 9, tzinfo=LOCAL)
LAST_DAY = datetime(2026, 6, 26, 9, tzinfo=LOCAL)
LOTS = 318
TRACED_FROM = 190  # number of the first lot with machine traces and deposits: opened in February 2026
BY_LINES, BY_XML = range(289, 297), range(305, 313)  # numbers of the lots that come as JSON lines, XML
BY_HAND = (300, 301, 302)  # numbers of the lots that come as opening sheets

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015
_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Row = dict[str, str]


def credit_code(number: int, kind: str = "91") -> str:
    """Return a synthetic unified social credit code with both check digits (GB 32100, GB 11714)."""
    base = f"YL{number:06d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    check = (11 - sum(_ALNUM.index(c) * w for c, w in zip(base, weights, strict=True)) % 11) % 11
    body = f"{kind}419999{base}{'X' if check == 10 else check}"
    total = sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _USCC[(31 - total % 31) % 31]


def document_number(number: int) -> str:
    """Return a synthetic ID number with its check digit (GB 11643); number below 12,000."""
    body = f"9999991850{1 + number // 1000:02d}01{number % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


@dataclass(frozen=True)
class Person:
    """Somebody who is not there."""

    number: int
    called: str = ""

    @property
    def name(self) -> str:
        """The name, invented; two people may share one."""
        return self.called or f"样例员{self.number:04d}"

    @property
    def id_number(self) -> str:
        """The document number."""
        return document_number(self.number)

    @property
    def phone(self) -> str:
        """The phone number."""
        return f"12000{self.number:06d}"


@dataclass(frozen=True)
class Machine:
    """A computer: three codes, and an address."""

    mac: str
    cpu: str
    disk: str
    ip: str

    @staticmethod
    def of(number: int) -> Machine:
        """Return the ``number``-th computer. Processor codes name a model, so many share one."""
        mac = f"D0-00-00-{number >> 16 & 255:02X}-{number >> 8 & 255:02X}-{number & 255:02X}"
        return Machine(
            mac, f"BFEBFBFF000{40651 + number % 12}", f"YLD{number:08X}", f"192.0.2.{1 + number % 250}"
        )

    def xml(self, dongle: str = "") -> str:
        """Return the entry that pricing and authoring software writes."""
        lock = f' JMSXLH="{dongle}"' if dongle else ""
        return f'<R{lock} WKDZ="{self.mac}" CPUXLH="{self.cpu}" YPXLH="{self.disk}"/>'


@dataclass(frozen=True)
class Firm:
    """A bidder. ``number`` gives its code, its people and its machines."""

    number: int
    name: str

    @cached_property
    def code(self) -> str:
        """The unified social credit code."""
        return credit_code(self.number)

    def person(self, place: int) -> Person:
        """Return one of its people: 0, 1 managers, 2 operator, 3 agent, 4 head."""
        return Person(self.number * 10 + place)


@dataclass
class Bid:
    """One firm's offer, with what the centre knows of how it was made."""

    firm: Firm
    price: float
    edit: Machine
    upload: Machine
    pricing: list[tuple[str, Machine]]  # dongle, computer
    account: str
    manager: Person
    operator: Person
    operator_phone: str
    agent: Person
    form: str = "转账"
    on_site: bool = False
    partner: Firm | None = None
    rate: str = ""


@dataclass
class Lot:
    """One lot and its bids."""

    number: int
    lot_id: str
    tender_id: str
    trade: str
    type_code: str
    method: str
    opening: datetime
    ceiling: float
    agency: int
    bids: list[Bid] = field(default_factory=list)
    is_ten_thousand: bool = False
    attempt: int = 1
    is_awarded: bool = True
    buyer_machine: Machine | None = None

    @property
    def winner(self) -> Bid:
        """The bid that wins under the lot's method (the sample's own benchmark: 0.98 of the mean)."""
        if self.method == "合理低价法":
            benchmark = 0.98 * fmean(bid.price for bid in self.bids)
            return min(self.bids, key=lambda bid: abs(bid.price - benchmark))
        return min(self.bids, key=lambda bid: bid.price)


#: Trade -> project type, what its firms call themselves, how many they are.
TRADES = {
    "房建": ("A01", "建设工程", 52),
    "市政": ("A02", "市政工程", 34),
    "公路": ("A03", "路桥工程", 26),
    "水利": ("A07", "水利工程", 24),
}
_FIRST, _SECOND = "云山川林泉石松竹梅岭溪", "程远达恒信嘉和安泰弘"
_OFFICES = ("住房建设中心", "城市管理局", "公路服务中心", "水务中心", "教育局", "卫生健康局")
BUYERS = [f"修武县样例{name}" for name in _OFFICES]
AGENCIES = [f"河南样例招标代理第{n}有限公司" for n in "一二三四"]
SUPERVISORS = {"房建": "住房和城乡建设局", "市政": "住房和城乡建设局", "公路": "交通运输局", "水利": "水利局"}
INSURER_ACCOUNT = "9999888877776666"


class County:
    """The whole county with honest bids; `planting.plant` then changes some of its lots.

    ``links`` is the truth about what was planted, ``bans`` the blacklist.
    """

    def __init__(self, seed: int = SEED) -> None:
        self.rng = Random(seed)
        self.links: list[Row] = []
        self.bans: list[Row] = []
        self.firms: dict[str, list[Firm]] = {}
        number = 100
        for trade, (_, kind, count) in TRADES.items():
            names = [a + b for a in _FIRST for b in _SECOND][:count]
            self.firms[trade] = [
                Firm(number + i, f"修武样例{name}{kind}有限公司") for i, name in enumerate(names)
            ]
            number += 200
        self.lots = [self._lot(n) for n in range(LOTS)]
        self.free = {lot.number for lot in self.lots} - {*BY_LINES, *BY_XML, *BY_HAND}

    def _lot(self, number: int) -> Lot:
        rng = self.rng
        trade = rng.choices(list(TRADES), (5, 3, 2, 2))[0]
        method = rng.choices(("经评审的最低投标价法", "合理低价法", "综合评估法"), (76, 15, 9))[0]
        day = FIRST_DAY + (LAST_DAY - FIRST_DAY) * number / (LOTS - 1)
        opening = day.replace(hour=rng.choice((9, 15)), minute=rng.choice((0, 30)), second=0, microsecond=0)
        opening -= timedelta(days=max(0, opening.weekday() - 4))
        type_code = TRADES[trade][0]
        tender_id = f"E410821{number:010d}001"
        lot = Lot(
            number,
            tender_id + "001",
            tender_id,
            trade,
            type_code,
            method,
            opening,
            round(10 ** rng.uniform(5.9, 7.6), 2),
            rng.randrange(len(AGENCIES)),
            is_ten_thousand=number % 13 == 5,
        )
        count = rng.choices((3, 4, 5, 6, 7, 8), (6, 30, 28, 18, 12, 6))[0]
        firms = rng.sample(self.firms[trade], count)
        lot.bids = [self.bid(firm) for firm in firms]
        self.price_honestly(lot)
        return lot

    def bid(self, firm: Firm) -> Bid:
        """Return a bid of this firm that has no price yet, made on the firm's own computers."""
        computer, second = Machine.of(firm.number * 4), Machine.of(firm.number * 4 + 1)
        pricing = [(f"YL{firm.number:05d}", computer)]
        operator = firm.person(2)
        return Bid(
            firm,
            0.0,
            computer,
            self.rng.choice((computer, second)),
            pricing,
            f"9999{firm.number:012d}",
            firm.person(self.rng.randrange(2)),
            operator,
            operator.phone,
            firm.person(3),
        )

    def price_honestly(self, lot: Lot) -> None:
        """Price every bid on its own: costs of the lot, and 3.5 to 6 % between firms."""
        rng = self.rng
        cost, spread = lot.ceiling * rng.uniform(0.83, 0.90), rng.uniform(0.035, 0.06)
        if lot.method == "合理低价法":
            cost, spread = lot.ceiling * rng.uniform(0.91, 0.95), rng.uniform(0.01, 0.02)
        for bid in lot.bids:
            price = cost * (1 + rng.gauss(0, spread))
            bid.price = round(min(price, lot.ceiling * rng.uniform(0.985, 0.999)), 2)

    def take(
        self, count: int, *, traced: bool, trade: str = "", method: str = "", bids: int = 4
    ) -> list[Lot]:
        """Take lots that nothing is planted in yet, spread over the time."""
        fitting = [
            lot
            for lot in self.lots
            if lot.number in self.free
            and (lot.number >= TRACED_FROM or not traced)
            and len(lot.bids) >= bids
            and trade in ("", lot.trade)
            and method in ("", lot.method)
        ]
        if len(fitting) < count:
            raise ValueError(
                f"only {len(fitting)} of {count} lots are left for trade {trade!r}, method {method!r}"
            )
        chosen = [fitting[i * len(fitting) // count] for i in range(count)]
        self.free -= {lot.number for lot in chosen}
        return chosen

    def seat(self, lot: Lot, firms: Sequence[Firm]) -> list[Bid]:
        """Let these firms bid for the lot instead of its first bidders, each at an honest price."""
        others = [bid for bid in lot.bids if bid.firm not in firms]
        count = max(len(lot.bids) - len(firms), 1)
        seated = [self.bid(firm) for firm in firms]
        lot.bids = seated + others[:count]
        self.price_honestly(lot)
        return seated

    def ring(self, trade: str, start: int, size: int) -> list[Firm]:
        """Return some firms of a trade."""
        return self.firms[trade][start : start + size]

    def say(
        self, lot: Lot, what: str, detector: str, firms: Iterable[Firm], note: str, *, innocent: bool = False
    ) -> None:
        """Write down what was planted in a lot, and which detector is to see it or to leave it alone."""
        codes = ";".join(sorted(firm.code for firm in firms))
        self.links.append(
            {
                "lot_id": lot.lot_id,
                "what": what,
                "detector": detector,
                "parties": codes,
                "innocent": "yes" if innocent else "no",
                "note": note,
            }
        )


def agency_phone(agency: int) -> str:
    """Return the registered phone of an agency."""
    return f"12039190{agency:03d}"
