"""The starter `principals.yaml` of a local installation, and what tokens need to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emanet.cli.problems import CommandError
from emanet.cli.workspace import DEV_ISSUER, DEV_TRUST_DOMAIN, Workspace
from emanet.core import strict_yaml
from emanet.core.errors import Reason, error

__all__ = ["APPLICATIONS", "account_of", "ensure_principals", "missing_from", "token_client_of"]

APPLICATIONS = ("panel", "helpdesk", "erp", "register-desk", "soc", "audit-desk", "cli")
"""The applications that the starter file names; each gets a certificate."""

_HEADER = """\
# Who may talk to this local installation. Made once; from then on it is yours to edit.
# Groups carry duties here and need-to-know roles in need_to_know.yaml. Reloaded on change.
emanet: principals/v1
"""


def ensure_principals(workspace: Workspace, *, organizations: Sequence[str]) -> bool:
    """Writes the starter file, or adds organizations to one that nobody has edited.

    A file with a single character changed by hand is never touched.

    Args:
        workspace: where it lies.
        organizations: ids that the applications may touch.

    Returns:
        True when it was written.
    """
    path = workspace.principals
    known: set[str] = set()
    if path.exists():
        known = set(_named_organizations(workspace))
        is_edited = path.read_text(encoding="utf-8") != _starter(known)
        if is_edited or known >= set(organizations):
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(_starter(known | set(organizations)), encoding="utf-8")
    temporary.replace(path)
    return True


def missing_from(workspace: Workspace, organizations: Iterable[str]) -> tuple[str, ...]:
    """Organizations that the file gives no application; calls for them will be refused.

    Raises:
        CallerError: MANIFEST_INVALID with file and line.
    """
    return tuple(sorted(set(organizations) - _named_organizations(workspace)))


def token_client_of(workspace: Workspace, application: str) -> str:
    """The `azp` of the tokens that an application may present.

    Raises:
        StateError: RESOURCE_NOT_FOUND when the file names no such application with a client.
    """
    found = _section(workspace, "applications").get(application)
    client = found.mapping().get("token_client") if found is not None else None
    if client is None:
        raise error(Reason.RESOURCE_NOT_FOUND, resource=f"principals.yaml: {application}")
    return client.text()


def account_of(workspace: Workspace, person: str) -> str:
    """The `sub` of a person's account at the development issuer.

    Raises:
        StateError: RESOURCE_NOT_FOUND when the file names no such account.
    """
    found = _section(workspace, "persons").get(person)
    accounts = found.mapping().get("accounts") if found is not None else None
    for account in accounts.sequence() if accounts is not None else ():
        pair = account.mapping()
        if pair["iss"].text() == DEV_ISSUER:
            return pair["sub"].text()
    raise error(Reason.RESOURCE_NOT_FOUND, resource=f"principals.yaml: {person}")


def _named_organizations(workspace: Workspace) -> frozenset[str]:
    named: set[str] = set()
    for application in _section(workspace, "applications").values():
        entry = application.mapping().get("organizations")
        named |= {item.text() for item in entry.sequence()} if entry is not None else set()
    return frozenset(named)


def _section(workspace: Workspace, name: str) -> dict[str, strict_yaml.Node]:
    if not workspace.principals.exists():
        raise CommandError("no_principals", file=workspace.principals)
    text = workspace.principals.read_text(encoding="utf-8")
    root = strict_yaml.load(text, workspace.principals.name).mapping()
    return dict(root[name].mapping()) if name in root else {}


def _starter(organizations: Iterable[str]) -> str:
    ids = sorted(organizations)
    listed = f"[{', '.join(ids)}]"
    applications = {
        "panel": "token_client: panel, may_assert: [data_subject]",
        "helpdesk": "token_client: helpdesk, owns_cases: [ticket]",
        "erp": "token_client: erp, may_assert: [app], owns_cases: [order, invoice_run, campaign], "
        "owns_events: [contract_ended, consent_ended]",
        "register-desk": "owns_cases: [legal_order]",
        "soc": "owns_cases: [incident]",
        "audit-desk": "owns_cases: [review]",
        "cli": "token_client: emanet-cli",
    }
    persons = {
        "s-001": "with group kvkk: data protection officer",
        "s-002": "with group yonetim: approver",
        "s-003": "with group guvenlik: security",
        "s-004": "with group denetim: auditor",
    }
    duties = (
        'dpo: ["group:kvkk"], approver: ["group:yonetim"], security: ["group:guvenlik"], '
        'auditor: ["group:denetim"], operator: ["group:bilgi-islem"]'
    )
    lines = [
        f"trust_domain: {DEV_TRUST_DOMAIN}",
        "issuers:",
        f'  - {{iss: "{DEV_ISSUER}", jwks_file: jwks.json, organizations: {listed}}}',
        "applications:",
        *(f"  {name}: {{organizations: {listed}, {rest}}}" for name, rest in applications.items()),
        "persons:",
        *(
            f'  {person}: {{accounts: [{{iss: "{DEV_ISSUER}", sub: {person}}}]}}  # {note}'
            for person, note in persons.items()
        ),
        "duties:" if ids else "duties: {}",
        *(f"  {organization}: {{{duties}}}" for organization in ids),
        "revoked: {tokens: [], certificates: [], persons: []}",
    ]
    return _HEADER + "\n".join(lines) + "\n"
