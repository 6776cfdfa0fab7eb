"""Generated customers look real, are the same every time, and can be searched for."""

from __future__ import annotations

import unicodedata

import pytest

from emanet.core.identifiers import is_tckn, is_turkish_mobile
from emanet.register.values import Level
from examples.demo.houses import HOUSES
from examples.demo.people import GENERATORS, SEARCHED_TYPES, make_customer
from examples.demo.store import CUSTOMERS, Store, tables_of

EVERYBODY = [make_customer(house.id, n) for house in HOUSES for n in range(1, CUSTOMERS + 1)]


def test_identifiers_carry_their_check_digits() -> None:
    """T.C. numbers pass the checksum, telephones are Turkish mobiles."""
    assert all(is_tckn(each.tckn) and is_turkish_mobile(each.phone) for each in EVERYBODY)


def test_emails_are_unique_and_hold_turkish_letters() -> None:
    """2,500 different addresses, Turkish letters in the local part, in normal form C."""
    emails = [each.email for each in EVERYBODY]
    assert len(set(emails)) == len(emails) == 2_500
    assert sum(not email.isascii() for email in emails) > 2_000
    assert all(unicodedata.is_normalized("NFC", email) for email in emails)
    assert not any(set(email) & set("Iİ̇") for email in emails)


def test_the_same_number_is_the_same_person() -> None:
    """A run can compare plaintexts with what an earlier step has stored."""
    first = make_customer("cinaralti", 7)
    make_customer.cache_clear()
    again = make_customer("cinaralti", 7)
    assert (first.name, first.email, first.tckn) == (again.name, again.email, again.tckn)
    assert first.tckn != make_customer("degirmen", 7).tckn


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.folder)
def test_every_field_of_the_register_has_a_generator(house, tmp_path) -> None:
    """Exactly the encrypted and the plain fields get values; sealed and forbidden ones no column."""
    store = Store(tmp_path / "app.db", house)
    wanted = {
        slug
        for slug, field in house.register.fields.items()
        if field.level in (Level.ENCRYPTED, Level.NONE) and slug != "staff.access"
    }
    assert {column.field for table in store.tables for column in table.columns} == wanted
    assert {column.field for column, _, _ in store.values()} == wanted
    assert GENERATORS.keys() >= SEARCHED_TYPES


def test_hosting_has_as_many_invoices_as_left_webhosting(tmp_path) -> None:
    """The bulk read asks for the rows that the table really has."""
    house = next(each for each in HOUSES if each.folder == "hosting")
    store = Store(tmp_path / "app.db", house)
    assert sum(column.field == "invoice.address" for column, _, _ in store.values()) == 3_027


def test_statistics_have_no_subject() -> None:
    """Anonymous counts have no id column to fill."""
    house = next(each for each in HOUSES if each.folder == "hosting")
    (table,) = [each for each in tables_of(house.register) if each.name == "edge_statistics"]
    assert table.namespace == ""
