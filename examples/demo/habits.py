"""What the staff of the five organizations do on a working day, as a table of habits.

A habit that is refused says with which reason; one that waits for a review says so. The numbers
are reads; the first habit of each organization fills its day up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from emanet.core.errors import Reason

__all__ = ["HABITS", "Habit", "How", "Tie"]


class How(StrEnum):
    """How a value is looked at; the name of the action in the record."""

    DECRYPT = "decrypt"
    MASKED = "read_masked"
    EXPORT = "export"
    DISCLOSE = "disclose"
    PLAIN = "read"


class Tie(StrEnum):
    """How the named case stands to the reader and to the person whose data it is."""

    NONE = "none"
    MINE = "mine"
    TEAM = "team"
    ABOUT = "about"
    OPEN = "open"
    COLLEAGUE = "colleague"
    OTHER = "other"
    CLOSED = "closed"
    SELF = "self"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Habit:
    """Some reads of one kind.

    Attributes:
        count: how many.
        group: whose.
        how, fields, purpose: what is looked at, how and for what.
        kind: of the case named; `tie` is how it stands.
        rows: how many rows at a time.
        approved: whether a colleague's token comes along.
        recipient: of a disclosure.
        refused: the reason told, None where it is allowed.
        waits: whether the allowance waits for a review.
    """

    count: int
    group: str
    how: How
    fields: tuple[str, ...]
    purpose: str
    kind: str
    tie: Tie
    rows: int = 1
    approved: bool = False
    recipient: str = ""
    refused: Reason | None = None
    waits: bool = False


_NAME, _MAIL, _PHONE = "customer.name", "customer.email", "customer.phone"
_HOME, _FAX, _TCKN = "customer.address", "customer.fax", "customer.tckn"
_BILL, _TEXT, _IP, _LINE = "invoice.address", "ticket.text", "login.ip", "traffic.line"


def _support(*, mails: str, other: tuple[str, ...], masked: tuple[str, ...]) -> list[Habit]:
    """The help desk's day, much the same everywhere."""
    ticket, desk = "ticket", "destek"
    unfit = Reason.CASE_UNFIT
    return [
        Habit(1, desk, How.DECRYPT, (mails,), "support", ticket, Tie.MINE),
        Habit(40, desk, How.DECRYPT, other, "support", ticket, Tie.TEAM),
        Habit(44, desk, How.MASKED, masked, "support", ticket, Tie.OPEN, rows=12),
        Habit(26, desk, How.DECRYPT, (_TEXT,), "support", ticket, Tie.MINE),
        Habit(
            3, desk, How.DECRYPT, (mails,), "support", "", Tie.NONE, refused=Reason.CASE_REQUIRED
        ),
        Habit(4, desk, How.DECRYPT, (mails,), "support", ticket, Tie.OTHER, refused=unfit),
        Habit(2, desk, How.DECRYPT, (mails,), "support", ticket, Tie.CLOSED, refused=unfit),
        Habit(1, desk, How.DECRYPT, other, "support", ticket, Tie.UNKNOWN, refused=unfit),
        Habit(3, desk, How.DECRYPT, other, "support", ticket, Tie.COLLEAGUE, refused=unfit),
    ]


def _covering(count: int) -> Habit:
    """A colleague's ticket opened: allowed, and looked at later."""
    return Habit(
        count, "destek", How.DECRYPT, (_TEXT,), "support", "ticket", Tie.COLLEAGUE, waits=True
    )


def _billing() -> list[Habit]:
    run, group = "invoice_run", "muhasebe"
    both = (_NAME, _BILL)
    return [
        Habit(26, group, How.DECRYPT, both, "invoicing", run, Tie.OPEN, rows=5),
        Habit(2, group, How.EXPORT, both, "invoicing", run, Tie.OPEN, rows=60),
        Habit(
            2, "destek", How.DECRYPT, (_BILL,), "invoicing", run, Tie.OPEN,
            refused=Reason.ROLE_NOT_ALLOWED,
        ),
    ]  # fmt: skip


def _legal(fields: tuple[str, ...], wrong: str, *, group: str = "hukuk") -> list[Habit]:
    letter = "legal_order"
    return [
        Habit(
            2, group, How.DISCLOSE, fields, "authority", letter, Tie.ABOUT, approved=True,
            recipient="court",
        ),
        Habit(
            1, group, How.DISCLOSE, fields, "authority", letter, Tie.ABOUT, recipient="court",
            refused=Reason.APPROVER_REQUIRED,
        ),
        Habit(
            1, group, How.DISCLOSE, fields, "authority", letter, Tie.ABOUT, approved=True,
            recipient=wrong, refused=Reason.RECIPIENT_REQUIRED,
        ),
    ]  # fmt: skip


def _abuse(group: str, fields: tuple[str, ...]) -> list[Habit]:
    return [
        Habit(10, group, How.DECRYPT, fields, "security", "incident", Tie.ABOUT),
        Habit(
            1, group, How.DECRYPT, fields, "security", "incident", Tie.SELF,
            refused=Reason.CASE_SELF_OPENED,
        ),
    ]  # fmt: skip


HABITS: Mapping[str, tuple[Habit, ...]] = {
    "registrar": (
        *_support(mails=_MAIL, other=(_PHONE,), masked=(_NAME, _MAIL, "domain.contact")),
        _covering(11),
        Habit(20, "destek", How.PLAIN, (_FAX,), "support", "ticket", Tie.MINE),
        Habit(8, "destek", How.DECRYPT, ("server.password",), "support", "ticket", Tie.MINE),
        Habit(30, "hesap", How.DECRYPT, (_NAME, _HOME), "service", "order", Tie.ABOUT),
        Habit(30, "alan-adi", How.DECRYPT, ("domain.contact",), "registration", "order", Tie.ABOUT),
        Habit(12, "alan-adi", How.PLAIN, ("domain.record", "domain.ip"), "registration", "order",
              Tie.ABOUT),
        Habit(4, "alan-adi", How.DISCLOSE, ("domain.contact",), "registration", "order", Tie.ABOUT,
              recipient="registries"),
        *_billing(),
        Habit(6, "muhasebe", How.PLAIN, ("payment.record",), "invoicing", "invoice_run", Tie.OPEN),
        *_abuse("altyapi", (_IP, _LINE)),
        *_legal((_NAME, _HOME), "reseller"),
        Habit(3, "pazarlama", How.DECRYPT, ("customer.interests",), "marketing", "campaign",
              Tie.OPEN, rows=20),
        Habit(2, "urun", How.PLAIN, ("site.usage",), "improvement", "review", Tie.OPEN),
        Habit(1, "hesap", How.DECRYPT, ("customer.password",), "service", "order", Tie.ABOUT,
              refused=Reason.DENY_RULE),
        Habit(1, "pazarlama", How.DECRYPT, (_PHONE,), "marketing", "campaign", Tie.OPEN,
              refused=Reason.PURPOSE_NOT_DECLARED),
    ),
    "hosting": (
        *_support(mails=_MAIL, other=(_PHONE,), masked=(_NAME, _MAIL, _PHONE)),
        _covering(13),
        Habit(28, "destek", How.PLAIN, (_FAX,), "support", "ticket", Tie.MINE),
        Habit(30, "siparis", How.DECRYPT, (_NAME, _HOME), "service", "order", Tie.ABOUT),
        *_billing(),
        *_abuse("abuse", (_IP,)),
        Habit(6, "abuse", How.DECRYPT, (_LINE,), "security", "incident", Tie.ABOUT),
        *_legal((_NAME, _HOME), "mailer"),
        Habit(2, "pazarlama", How.DECRYPT, ("customer.interests",), "marketing", "campaign",
              Tie.OPEN, rows=25),
        Habit(2, "destek", How.DECRYPT, (_LINE,), "security", "incident", Tie.ABOUT,
              refused=Reason.DENY_RULE),
    ),
    "web-agency": (
        Habit(1, "temsilci", How.DECRYPT, (_MAIL,), "support", "ticket", Tie.ABOUT),
        Habit(60, "temsilci", How.DECRYPT, (_NAME, _PHONE), "support", "ticket", Tie.ABOUT),
        Habit(30, "temsilci", How.PLAIN, (_FAX,), "support", "ticket", Tie.ABOUT),
        Habit(40, "temsilci", How.MASKED, (_NAME, _MAIL), "support", "ticket", Tie.OPEN, rows=10),
        Habit(34, "mudur", How.DECRYPT, (_NAME, _HOME), "contract", "order", Tie.ABOUT),
        Habit(4, "mudur", How.DECRYPT, ("customer.document",), "contract", "order", Tie.ABOUT),
        Habit(46, "musavir", How.DECRYPT, (_NAME, _TCKN), "invoicing", "invoice_run", Tie.ABOUT),
        Habit(30, "yazilim", How.DECRYPT, ("form.message",), "support", "ticket", Tie.MINE),
        Habit(4, "yazilim", How.DECRYPT, (_NAME, _MAIL), "security", "incident", Tie.ABOUT),
        *_legal((_NAME, _TCKN), "tax", group="mudur"),
        Habit(4, "temsilci", How.DECRYPT, (_TCKN,), "invoicing", "invoice_run", Tie.ABOUT,
              refused=Reason.DENY_RULE),
        Habit(5, "temsilci", How.DECRYPT, (_HOME,), "support", "ticket", Tie.OTHER,
              refused=Reason.CASE_UNFIT),
        Habit(3, "yazilim", How.DECRYPT, ("form.message",), "support", "ticket", Tie.COLLEAGUE,
              refused=Reason.CASE_UNFIT),
        Habit(2, "mudur", How.DECRYPT, (_TCKN,), "support", "ticket", Tie.ABOUT,
              refused=Reason.PURPOSE_NOT_DECLARED),
        Habit(2, "temsilci", How.DECRYPT, (_MAIL,), "support", "", Tie.NONE,
              refused=Reason.CASE_REQUIRED),
    ),
    "bulk-messaging": (
        *_support(mails=_MAIL, other=(_PHONE,), masked=(_NAME, _MAIL, _PHONE)),
        Habit(24, "destek", How.PLAIN, ("subscription.record",), "support", "ticket", Tie.MINE),
        Habit(30, "abonelik", How.DECRYPT, (_NAME, _TCKN), "identity", "order", Tie.ABOUT),
        Habit(20, "abonelik", How.DECRYPT, (_MAIL, _PHONE), "service", "order", Tie.ABOUT),
        Habit(20, "gonderim", How.MASKED, ("message.recipient",), "service", "order", Tie.OPEN,
              rows=40),
        Habit(10, "gonderim", How.DECRYPT, ("message.recipient", "message.body"), "service",
              "order", Tie.ABOUT, approved=True),
        *_billing(),
        *_abuse("suistimal", (_IP, "abuse.file")),
        *_legal((_NAME, _TCKN), "carrier"),
        Habit(2, "hukuk", How.DISCLOSE, ("dispatch.log",), "authority", "legal_order", Tie.ABOUT,
              approved=True, recipient="regulator"),
        Habit(2, "gonderim", How.DECRYPT, ("message.body",), "service", "order", Tie.ABOUT,
              refused=Reason.APPROVER_REQUIRED),
        Habit(2, "destek", How.DECRYPT, (_TCKN,), "identity", "order", Tie.ABOUT,
              refused=Reason.DENY_RULE),
    ),
    "chat-bot": (
        *_support(mails=_MAIL, other=(_PHONE,), masked=(_NAME, _MAIL, _PHONE)),
        _covering(12),
        Habit(20, "destek", How.PLAIN, ("customer.site",), "support", "ticket", Tie.MINE),
        Habit(20, "destek", How.DECRYPT, (_NAME, _HOME), "service", "order", Tie.ABOUT),
        Habit(10, "destek", How.MASKED, ("message.recipient",), "support", "ticket", Tie.OPEN,
              rows=8),
        *_billing(),
        *_abuse("guven", (_NAME, _IP)),
        *_legal((_NAME, _HOME), "host"),
        Habit(3, "pazarlama", How.DECRYPT, ("customer.interests",), "personal", "review", Tie.OPEN,
              rows=20),
        Habit(2, "muhasebe", How.DECRYPT, (_IP,), "security", "incident", Tie.ABOUT,
              refused=Reason.DENY_RULE),
    ),
}  # fmt: skip
"""By the organization's folder."""
