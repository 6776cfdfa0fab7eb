"""One table says who may call what: RPC × principal kind × staff duty.

Each service supplies the rows of its RPCs; the gate enforces them, `render` prints them into
docs/authorisation.md. An RPC without a row is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from emanet.core.errors import Reason, error

__all__ = ["AuthorisationTable", "Duty", "Row", "Staffing", "render"]


class Duty(StrEnum):
    """Who may administer (`duties` of principals.yaml); not a need-to-know role."""

    DPO = "dpo"
    SECURITY = "security"
    APPROVER = "approver"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Staffing(StrEnum):
    """Whether an application must bring a person's token to this RPC."""

    NONE = "none"
    """No token is looked at; the application acts for itself."""
    OPTIONAL = "optional"
    """A token that is sent must be valid."""
    REQUIRED = "required"
    """Without a valid token the call is refused."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who may call one RPC.

    Attributes:
        rpc: full name, `emanet.api.crypto.v1.CryptoService/Encrypt`.
        applications: whether `/app/NAME` principals of the organization may.
        services: names of `/service/NAME` principals that may; they act for every organization.
        staffing: about the staff token of an application's call. A service's call needs none; a
            token that a service forwards is verified.
        duties: the person needs one of these in the request's organization; empty = any person.
        fresh_login: the person must have logged in within the last five minutes.
    """

    rpc: str
    applications: bool = True
    services: frozenset[str] = frozenset()
    staffing: Staffing = Staffing.NONE
    duties: frozenset[Duty] = frozenset()
    fresh_login: bool = False

    def __post_init__(self) -> None:
        if self.rpc.startswith("/") or self.rpc.count("/") != 1:
            raise error(Reason.CONFIG_INVALID, problem=f"{self.rpc} is not package.Service/Method")
        if not self.applications and not self.services:
            raise error(Reason.CONFIG_INVALID, problem=f"nobody may call {self.rpc}")
        if (self.duties or self.fresh_login) and self.staffing is not Staffing.REQUIRED:
            raise error(
                Reason.CONFIG_INVALID,
                problem=f"{self.rpc} asks for a duty or a fresh login without a staff token",
            )


class AuthorisationTable:
    """The rows of one server, by RPC."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Builds the table.

        Raises:
            StateError: CONFIG_INVALID, two rows name the same RPC.
        """
        self._rows: dict[str, Row] = {}
        for row in rows:
            if row.rpc in self._rows:
                raise error(Reason.CONFIG_INVALID, problem=f"two rows for {row.rpc}")
            self._rows[row.rpc] = row

    def row(self, rpc: str) -> Row:
        """Returns the row of an RPC.

        Raises:
            DeniedError: RPC_NOT_ALLOWED, there is none.
        """
        row = self._rows.get(rpc)
        if row is None:
            raise error(Reason.RPC_NOT_ALLOWED, rpc=rpc)
        return row

    def require_exactly(self, rpcs: Iterable[str]) -> None:
        """Verifies at start that the table and the hosted RPCs are the same set.

        Raises:
            StateError: CONFIG_INVALID, naming the first difference.
        """
        difference = sorted(set(rpcs) ^ set(self._rows))
        if difference:
            raise error(
                Reason.CONFIG_INVALID,
                problem=f"authorisation rows and RPCs differ at {difference[0]}",
            )


def render(rows: Sequence[Row]) -> str:
    """Renders rows as a Markdown table, in the order given."""
    lines = [
        "| RPC | applications | services | staff token | duty (one of) | fresh login |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = (
            f"`{row.rpc.rpartition('.')[2]}`",
            "yes" if row.applications else "–",
            ", ".join(sorted(row.services)) or "–",
            row.staffing.value if row.applications else "–",
            _duties(row),
            "yes" if row.fresh_login else "–",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _duties(row: Row) -> str:
    if row.duties:
        return ", ".join(sorted(duty.value for duty in row.duties))
    return "any person" if row.staffing is Staffing.REQUIRED else "–"
