"""Who may call the inventory: one row per RPC, rendered into docs/authorisation.md."""

from __future__ import annotations

from services.runtime.authorisation import Duty, Row, Staffing

__all__ = ["ROWS"]

_SERVICE = "emanet.api.inventory.v1.InventoryService"
_CONSUMERS = frozenset({"access_audit", "crypto"})

ROWS: tuple[Row, ...] = (
    Row(rpc=f"{_SERVICE}/GetServiceInfo", services=_CONSUMERS),
    Row(
        rpc=f"{_SERVICE}/GetDraft",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.DPO, Duty.APPROVER, Duty.AUDITOR}),
    ),
    Row(
        rpc=f"{_SERVICE}/EditDraft",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.DPO}),
    ),
    Row(
        rpc=f"{_SERVICE}/SubmitDraft",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.DPO}),
    ),
    Row(
        rpc=f"{_SERVICE}/ApproveVersion",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.APPROVER}),
        fresh_login=True,
    ),
    Row(rpc=f"{_SERVICE}/ListRegisterVersions", services=_CONSUMERS),
    Row(rpc=f"{_SERVICE}/GetRegisterVersion", services=_CONSUMERS),
    Row(rpc=f"{_SERVICE}/WatchRegister", services=_CONSUMERS),
    Row(
        rpc=f"{_SERVICE}/ExportInventory",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.DPO, Duty.AUDITOR}),
        fresh_login=True,
    ),
)
