"""The panel's own tests: no servers, the real rules. Run `pytest` in this folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from panel import Panel, main

from emanet.client import errors
from emanet.testing import FakeEmanet


@pytest.fixture
def panel(emanet_fake: FakeEmanet) -> Iterator[Panel]:
    """A panel over an empty database, used by a customer representative."""
    database = sqlite3.connect(":memory:")
    token = emanet_fake.staff_token(person="s-003", role="agent")
    yield Panel(emanet_fake, database, token=token)
    database.close()


def test_the_database_holds_no_name(panel: Panel) -> None:
    """Whoever steals the file reads nothing."""
    panel.add("Ayşe Yılmaz", "ayse@example.com")
    (row,) = panel.database.execute("SELECT name_enc, email_enc FROM customers")
    assert not any("Ayşe".encode() in value or b"ayse" in value for value in row)


def test_the_list_is_masked(panel: Panel, emanet_fake: FakeEmanet) -> None:
    """The screen never receives more than it shows."""
    panel.add("Ayşe Yılmaz", "ayse@example.com")
    emanet_fake.put_case("ticket", "T-1", opened_by="customer")
    ((_, row),) = panel.find_all("T-1")
    assert row == {"customer.name": "A*** Y*****", "customer.email": "a***@e******.com"}


def test_a_page_opens_in_the_customers_own_ticket(panel: Panel, emanet_fake: FakeEmanet) -> None:
    """A ticket about somebody else opens nothing, and the attempt is on record."""
    ayse, mert = panel.add("Ayşe Yılmaz", "a@example.com"), panel.add("Mert Demir", "m@example.com")
    emanet_fake.put_case("ticket", "T-1", subject=ayse, opened_by="customer")
    assert panel.show(ayse, "T-1")["customer.name"] == "Ayşe Yılmaz"
    with pytest.raises(errors.DeniedError, match="CASE_UNFIT"):
        panel.show(mert, "T-1")
    assert [record.verdict for record in emanet_fake.records] == ["allow", "deny"]


def test_a_refusal_says_what_to_do_next(
    emanet_fake: FakeEmanet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The person at the screen is not left alone with a code."""
    monkeypatch.setenv("PANEL_DATABASE", str(tmp_path / "panel.db"))
    monkeypatch.setenv("PANEL_TOKEN", emanet_fake.staff_token(person="s-003", role="agent"))
    assert main(["add", "Ayşe Yılmaz", "ayse@example.com"], emanet_fake) == 0
    assert main(["list", "T-404"], emanet_fake) == 1
    assert "Yapılacak: " in capsys.readouterr().err
    with emanet_fake.fail_audit():
        assert main(["list", "T-404"], emanet_fake) == 2
