"""The reads that get a line of their own on the screen, real cases among them.

The Board's decisions are those of docs; the facts here are invented for the five organizations.
"""

from __future__ import annotations

from dataclasses import replace

from emanet.core.errors import Reason
from examples.demo.habits import How
from examples.demo.houses import HOUSES, House
from examples.demo.plan import CaseBook, Read

__all__ = ["BULK_TABLE", "BULK_VALUES", "plan_notable"]

BULK_TABLE = "panel_invoices"
BULK_VALUES = 3_027
"""Records that left Webhosting A.Ş. in one go (breach of 27.12.2020); rows of the table above."""


def plan_notable(books: dict[str, CaseBook]) -> dict[str, list[Read]]:
    """The notable reads by folder; their cases go into the books."""
    houses = {house.folder: house for house in HOUSES}
    return {
        "hosting": _hosting(houses["hosting"], books["hosting"]),
        "web-agency": _web_agency(houses["web-agency"], books["web-agency"]),
        "registrar": _registrar(houses["registrar"], books["registrar"]),
        "bulk-messaging": _bulk(houses["bulk-messaging"], books["bulk-messaging"]),
    }


def _hosting(house: House, book: CaseBook) -> list[Read]:
    first, second = house.people["destek"][:2]
    accountant = house.people["muhasebe"][0]
    ticket = book.open("ticket", subjects=("customers/7",), assignee=first)
    return [
        Read(
            house, _at(9, 12), first, How.DECRYPT, ("customer.email",), "support", (7,),
            desk="10.20.1.31", session="panel-1", case=ticket, note="allowed",
        ),
        Read(
            house, _at(13, 55), second, How.DECRYPT, ("ticket.text",), "support", (7,),
            desk="10.20.1.32", session="panel-2", case=ticket, waits=True, note="covering",
        ),
        Read(
            house, _at(16, 20), accountant, How.EXPORT, ("invoice.address",), "invoicing", (),
            desk="10.20.1.39", session="panel-3", case=book.open("invoice_run", series=77),
            count=BULK_VALUES, refused=Reason.LIMIT_EXCEEDED, note="bulk",
        ),
    ]  # fmt: skip


def _web_agency(house: House, book: CaseBook) -> list[Read]:
    agent, other = house.people["temsilci"][:2]
    run = book.open("invoice_run", subjects=("customers/21",))
    ticket = book.open("ticket", subjects=("customers/64",), assignee=other)
    return [
        Read(
            house, _at(10, 3), agent, How.DECRYPT, ("customer.tckn",), "invoicing", (21,),
            desk="10.20.2.11", session="panel-1", case=run, refused=Reason.DENY_RULE, note="tckn",
        ),
        Read(  # Board 02.05.2023, 2023/695: a stranger looked up for a friend, "one digit wrong"
            house, _at(11, 40), other, How.DECRYPT, ("customer.address",), "support", (65,),
            desk="10.20.2.12", session="panel-2", case=ticket, refused=Reason.CASE_UNFIT,
            note="stranger",
        ),
    ]  # fmt: skip


def _registrar(house: House, book: CaseBook) -> list[Read]:
    curious = house.people["destek"][2]
    lawyer, chief = house.people["hukuk"]
    letter = book.open("legal_order", subjects=("customers/88",))
    given = Read(  # Board 2021/761: records handed to the wrong parent's lawyer
        house, _at(15, 10), lawyer, How.DISCLOSE, ("customer.name", "customer.address"),
        "authority", (88,), desk="10.20.0.25", session="panel-4", case=letter, approver=chief,
        recipient="court", note="disclosed",
    )  # fmt: skip
    return [
        Read(  # Board 31.05.2018, 2018/63: entitled staff, a private motive
            house, _at(11, 5), curious, How.DECRYPT, ("customer.phone",), "support", (140,),
            desk="10.20.0.13", session="panel-3", refused=Reason.CASE_REQUIRED, note="motive",
        ),
        given,
        replace(
            given, minute=_at(15, 12), recipient="reseller", refused=Reason.RECIPIENT_REQUIRED,
            note="wrong_recipient",
        ),
    ]  # fmt: skip


def _bulk(house: House, book: CaseBook) -> list[Read]:
    person = house.people["destek"][5]
    ticket = book.open("ticket", subjects=("customers/310",), assignee=person)
    own = Read(
        house, _at(14, 28), person, How.DECRYPT, ("customer.email",), "support", (310,),
        desk="10.20.3.12", session="panel-962", case=ticket,
    )  # fmt: skip
    # Board 21.09.2021, 2021/962: somebody else sat down at the open session.
    return [own, replace(own, minute=_at(14, 31), desk="10.20.3.31", note="session")]


def _at(hour: int, minute: int) -> int:
    return hour * 60 + minute
