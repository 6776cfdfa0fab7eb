"""Who may call the access audit: one row per RPC, rendered into docs/authorisation.md."""

from __future__ import annotations

from services.runtime.authorisation import Duty, Row, Staffing

__all__ = ["ROWS"]

_ACCESS = "emanet.api.access_audit.v1.AccessAuditService"
_RULES = "emanet.api.access_audit.v1.RulesService"
_LOG = "emanet.api.access_audit.v1.LogService"
_CRYPTO = frozenset({"crypto"})

ROWS: tuple[Row, ...] = (
    Row(rpc=f"{_ACCESS}/GetServiceInfo", services=_CRYPTO),
    Row(rpc=f"{_ACCESS}/CheckAccess", services=_CRYPTO, staffing=Staffing.OPTIONAL),
    Row(rpc=f"{_ACCESS}/RecordAccess", staffing=Staffing.OPTIONAL),
    Row(rpc=f"{_ACCESS}/RecordOutcome", applications=False, services=_CRYPTO),
    Row(rpc=f"{_ACCESS}/RecordKeyEvent", applications=False, services=_CRYPTO),
    Row(rpc=f"{_ACCESS}/PutCases"),
    Row(rpc=f"{_ACCESS}/PutRetentionEvents"),
    Row(
        rpc=f"{_ACCESS}/ListDueSubjects",
        services=_CRYPTO,
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.DPO, Duty.OPERATOR}),
    ),
    Row(
        rpc=f"{_ACCESS}/ListAccessRecords",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.SECURITY, Duty.AUDITOR}),
    ),
    Row(
        rpc=f"{_RULES}/ApplyRuleSet",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.SECURITY}),
    ),
    Row(
        rpc=f"{_RULES}/ActivateRuleSet",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.APPROVER}),
        fresh_login=True,
    ),
    Row(
        rpc=f"{_RULES}/GetRuleSet",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.SECURITY, Duty.APPROVER, Duty.AUDITOR, Duty.DPO}),
    ),
    Row(
        rpc=f"{_RULES}/ListRuleSets",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.SECURITY, Duty.APPROVER, Duty.AUDITOR, Duty.DPO}),
    ),
    Row(rpc=f"{_LOG}/GetCheckpoint", services=_CRYPTO),
    Row(rpc=f"{_LOG}/GetInclusionProof", services=_CRYPTO),
    Row(rpc=f"{_LOG}/GetConsistencyProof", services=_CRYPTO),
    Row(
        rpc=f"{_LOG}/ExportLog",
        staffing=Staffing.REQUIRED,
        duties=frozenset({Duty.SECURITY, Duty.AUDITOR}),
        fresh_login=True,
    ),
)
