"""The administration client: what the command line and a console call, beside the facade.

The facade (`Emanet`) is for applications that encrypt and read; this one is for people who keep
the register, the rules, the log and the destructions.

    with Admin(organization="degirmen", endpoints=…, credentials=…, staff_token=…) as admin:
        draft = admin.inventory.draft()
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from emanet.client.admin_audit import AuditAdmin, RecordFilter
from emanet.client.admin_inventory import Draft, ExportedFile, FetchedRegister, InventoryAdmin
from emanet.client.admin_keys import KeysAdmin
from emanet.client.admin_rules import RulesAdmin
from emanet.client.admin_session import AdminSession
from emanet.client.channel import Credentials, Endpoints

__all__ = [
    "Admin",
    "AuditAdmin",
    "Draft",
    "ExportedFile",
    "FetchedRegister",
    "InventoryAdmin",
    "KeysAdmin",
    "RecordFilter",
    "RulesAdmin",
]


class Admin:
    """One organization as its administrators see it; nothing connects before the first call.

    Attributes:
        inventory: draft, versions, exports.
        rules: need-to-know rule sets.
        audit: access records and the log.
        keys: destructions.
    """

    def __init__(
        self,
        *,
        organization: str,
        endpoints: Endpoints,
        credentials: Credentials,
        staff_token: str = "",
        language: str = "tr-TR",
    ) -> None:
        """Arguments as for `AdminSession`."""
        self._session = AdminSession(
            organization=organization,
            endpoints=endpoints,
            credentials=credentials,
            staff_token=staff_token,
            language=language,
        )
        self.inventory = InventoryAdmin(self._session)
        self.rules = RulesAdmin(self._session)
        self.audit = AuditAdmin(self._session)
        self.keys = KeysAdmin(self._session)

    @property
    def organization(self) -> str:
        """The organization's slug."""
        return self._session.organization

    def close(self) -> None:
        """Closes the channels; a later call opens new ones."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
