"""A customer panel that keeps personal data with Emanet: its database holds envelopes only.

    python panel.py add "Ayşe Yılmaz" ayse@example.com
    python panel.py list T-1
    python panel.py show customers/5f0c2a9d41b7 T-1

docs/how-to/first-organization.md brings the organization into operation. EMANET_ENDPOINTS and
EMANET_CERTS_DIR say where Emanet is (`emanet up` prints both), PANEL_TOKEN is the token of who is
logged in (`emanet dev token --person s-003 --group temsilci --client panel`), T-1 the support
ticket that they work on.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import uuid
from contextlib import AbstractContextManager, closing

from emanet.client import Case, Emanet, OpenedRow, errors

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS customers (ref TEXT PRIMARY KEY, name_enc BLOB, email_enc BLOB)"
)
COLUMNS = {"customer.name": "name_enc", "customer.email": "email_enc"}


class Panel:
    """What the screens call; `em` may be `Emanet` or, in tests, `FakeEmanet`."""

    def __init__(self, em: Emanet, database: sqlite3.Connection, *, token: str) -> None:
        database.row_factory = sqlite3.Row
        database.execute(SCHEMA)
        self.em, self.database, self.token = em, database, token

    def add(self, name: str, email: str) -> str:
        """Stores a new customer: encrypted on write, under a number that says nothing."""
        ref = f"customers/{uuid.uuid4().hex[:12]}"
        sealed = self.em.encrypt(
            subject=ref, values={"customer.name": name, "customer.email": email}
        )
        envelopes = [sealed[field].envelope for field in COLUMNS]
        with self.database:
            self.database.execute("INSERT INTO customers VALUES (?, ?, ?)", (ref, *envelopes))
        return ref

    def find_all(self, ticket: str) -> list[tuple[str, OpenedRow]]:
        """The list screen: fifty customers, masked, one call and one record."""
        rows = self.database.execute("SELECT * FROM customers ORDER BY ref LIMIT 50").fetchall()
        with self._support(ticket):
            masked = self.em.mask_table(rows, COLUMNS, subject=lambda row: row["ref"])
        return [(row["ref"], shown) for row, shown in zip(rows, masked, strict=True)]

    def show(self, ref: str, ticket: str) -> OpenedRow:
        """The customer's page: read in the ticket's case, recorded before it is shown."""
        rows = self.database.execute("SELECT * FROM customers WHERE ref = ?", (ref,)).fetchall()
        if not rows:
            raise KeyError(ref)
        with self._support(ticket):
            return self.em.decrypt_table(rows, COLUMNS, subject=lambda row: row["ref"])[0]

    def _support(self, ticket: str) -> AbstractContextManager[object]:
        case = Case("ticket", ticket)
        return self.em.reading(staff_token=self.token, purpose="support", case=case)


def main(arguments: list[str], em: Emanet) -> int:
    """Runs one command; a refusal says why, and what to do next."""
    with closing(sqlite3.connect(os.environ.get("PANEL_DATABASE", "panel.db"))) as database:
        panel = Panel(em, database, token=os.environ.get("PANEL_TOKEN", ""))
        try:
            match arguments:
                case ["add", name, email]:
                    print(panel.add(name, email))
                case ["list", ticket]:
                    for ref, row in panel.find_all(ticket):
                        print(ref, *row.values(), sep="  ")
                case ["show", ref, ticket]:
                    print(*panel.show(ref, ticket).values(), sep="  ")
                case _:
                    print(__doc__)
        except errors.DeniedError as denial:
            print(f"{denial.message_tr}\nYapılacak: {denial.next_step_tr}", file=sys.stderr)
            return 1
        except errors.UnavailableError:
            print("Kişisel veriler şu an gösterilemiyor.", file=sys.stderr)
            return 2
        except KeyError:
            print("Böyle bir müşteri yok.", file=sys.stderr)
            return 1
        except errors.EmanetError as problem:
            print(problem, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Emanet.from_env(organization="degirmen", app="panel")))
