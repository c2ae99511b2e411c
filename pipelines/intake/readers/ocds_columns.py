"""The columns of the sections that an OCDS file is taken apart into; `ocds` says what each section is."""

from __future__ import annotations

_RELEASE = ("ocid", "id", "date")
_TENDER = (
    "tender/id",
    "tender/title",
    "tender/status",
    "tender/procurementMethod",
    "tender/procurementMethodDetails",
    "tender/mainProcurementCategory",
    "tender/awardCriteria",
    "tender/value/amount",
    "tender/value/currency",
    "tender/numberOfTenderers",
    "tender/tenderPeriod/startDate",
    "tender/tenderPeriod/endDate",
    "tender/awardPeriod/startDate",
    "tender/awardPeriod/endDate",
    "tender/bidOpening/date",
    "buyer/id",
    "buyer/name",
    "tender/procuringEntity/id",
    "tender/procuringEntity/name",
)

#: Columns read from the release, for each section.
FROM_RELEASE = {
    "tenders": _RELEASE + _TENDER,
    "lots": _RELEASE + _TENDER,
    "bids": (*_RELEASE, "tender/id"),
    "tenderers": (*_RELEASE, "tender/id"),
    "awards": (*_RELEASE, "tender/id"),
    "contracts": (*_RELEASE, "tender/id"),
    "parties": _RELEASE,
}

#: Where the elements of a section stand, and the columns read from each of them.
ARRAYS = {
    "lots": "tender/lots",
    "bids": "bids/details",
    "awards": "awards",
    "contracts": "contracts",
    "parties": "parties",
}
FROM_ELEMENT = {
    "lots": ("id", "title", "status", "value/amount", "value/currency"),
    "bids": ("id", "date", "status", "value/amount", "value/currency"),
    "awards": ("id", "date", "status", "value/amount", "value/currency"),
    "contracts": (
        "id",
        "awardID",
        "status",
        "dateSigned",
        "value/amount",
        "value/currency",
        "period/startDate",
        "period/endDate",
    ),
    "parties": (
        "id",
        "name",
        "identifier/scheme",
        "identifier/id",
        "identifier/legalName",
        "contactPoint/name",
        "contactPoint/telephone",
        "contactPoint/email",
        "address/streetAddress",
        "address/locality",
        "address/region",
        "address/postalCode",
        "address/countryName",
    ),
}
_SUPPLIER = ("awards/suppliers/id", "awards/suppliers/name", "awards/relatedLots", "awards/relatedLot")
_BIDDER = ("bids/details/tenderers/id", "bids/details/tenderers/name", "bids/details/relatedLot")
_SPECIAL = {
    "bids": _BIDDER,
    "tenderers": ("bids/details/id", "bids/details/bidder/id", "bids/details/bidder/name", *_BIDDER),
    "awards": (*_SUPPLIER, "awards/relatedBids"),
    "contracts": _SUPPLIER,
    "parties": ("parties/roles",),
}

#: Every section's columns.
COLUMNS: dict[str, tuple[str, ...]] = {
    section: (
        *from_release,
        *(f"{ARRAYS.get(section)}/{leaf}" for leaf in FROM_ELEMENT.get(section, ())),
        *_SPECIAL.get(section, ()),
    )
    for section, from_release in FROM_RELEASE.items()
}
