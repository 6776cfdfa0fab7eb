"""The five organizations of the demo: their files, their staff and their applications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emanet.register.manifest import Manifest, load_manifest
from emanet.register.values import Register

__all__ = ["ADMINISTRATORS", "CASE_OWNERS", "HOUSES", "House", "Person", "UnexpectedError"]

ORGANIZATIONS = Path(__file__).resolve().parents[1] / "organizations"


class UnexpectedError(Exception):
    """Something did not come out as the demo says it does."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff: person id, the account at the log-in server, and its groups."""

    id: str
    account: str
    groups: tuple[str, ...]


# Who keeps registers, rules and logs; the author of a version never approves it.
ADMINISTRATORS: Mapping[str, Person] = {
    "dpo": Person("ayla", "a-7001", ("kvkk",)),
    "approver": Person("engin", "a-7002", ("yonetim",)),
    "security": Person("selin", "a-7003", ("guvenlik",)),
    "auditor": Person("deniz", "a-7004", ("denetim",)),
}

# Which application pushes which kinds of cases; they serve all five organizations.
CASE_OWNERS: Mapping[str, tuple[str, ...]] = {
    "helpdesk": ("ticket",),
    "erp": ("order", "invoice_run", "campaign"),
    "register-desk": ("legal_order",),
    "soc": ("incident",),
    "audit-desk": ("review",),
}


@dataclass(frozen=True)
class House:
    """One organization.

    Attributes:
        folder: its folder under examples/organizations, also its name on the screen.
        id: its slug.
        first_person: number of its first member of staff.
        staff: group → how many people are in it.
    """

    folder: str
    id: str
    first_person: int
    staff: Mapping[str, int]

    @property
    def panel(self) -> str:
        """The application through which its staff read."""
        return f"{self.id}-panel"

    @cached_property
    def people(self) -> Mapping[str, tuple[Person, ...]]:
        """Its staff by group; one person is in one group."""
        number, found = self.first_person, {}
        for group, count in self.staff.items():
            found[group] = tuple(
                Person(f"s-{n:03d}", f"a-{n + 4000}", (group,))
                for n in range(number, number + count)
            )
            number += count
        return found

    @cached_property
    def published(self) -> Manifest:
        """Its privacy policy as published, read into a register."""
        return self._manifest("published.register.yaml")

    @cached_property
    def repaired(self) -> Manifest:
        """The register that two persons approve."""
        return self._manifest("register.yaml")

    @property
    def register(self) -> Register:
        """The value of the repaired register."""
        return self.repaired.register

    @cached_property
    def rules(self) -> str:
        """The text of its need_to_know.yaml."""
        return (ORGANIZATIONS / self.folder / "need_to_know.yaml").read_text("utf-8")

    def _manifest(self, file: str) -> Manifest:
        return load_manifest((ORGANIZATIONS / self.folder / file).read_text("utf-8"), file)


HOUSES: tuple[House, ...] = (
    House(
        "registrar",
        "yakamoz",
        211,
        {"destek": 6, "alan-adi": 2, "hesap": 2, "muhasebe": 2, "altyapi": 2, "hukuk": 2,
         "pazarlama": 1, "urun": 1},
    ),
    House(
        "hosting",
        "cinaralti",
        31,
        {"destek": 6, "siparis": 2, "muhasebe": 2, "abuse": 2, "hukuk": 2, "pazarlama": 1},
    ),
    House(
        "web-agency",
        "degirmen",
        111,
        {"temsilci": 4, "mudur": 2, "musavir": 1, "yazilim": 2},
    ),
    House(
        "bulk-messaging",
        "sariserce",
        311,
        {"destek": 6, "abonelik": 2, "gonderim": 2, "muhasebe": 2, "suistimal": 2, "hukuk": 2,
         "pazarlama": 1},
    ),
    House(
        "chat-bot",
        "papagan",
        411,
        {"destek": 6, "muhasebe": 2, "guven": 2, "hukuk": 2, "pazarlama": 1},
    ),
)  # fmt: skip
"""In the order of the screen."""
