"""principals.yaml: who may talk to Emanet at all. Written by the operator, reloaded on change.

The file names the trust domain, the issuers of staff tokens with their keys, the applications,
the persons, their duties per organization, and what is revoked. A file that breaks while a server
runs leaves the last good one in force, with a warning; a server does not start on a broken one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import structlog
from joserfc.jwk import KeySet

from emanet.core import strict_yaml
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.names import is_slug
from emanet.core.strict_yaml import Node
from services.runtime.authorisation import Duty
from services.runtime.keyset import read_key_set, read_operator_file
from services.runtime.settings import DEV_TRUST_DOMAIN, Mode, configuration_problem

__all__ = [
    "Application",
    "Issuer",
    "Principals",
    "PrincipalsFile",
    "Revocations",
    "load_principals",
]

_RELOAD_INTERVAL_S = 1.0
_GROUP_PREFIX = "group:"
_MAY_ASSERT = frozenset({"app", "data_subject", "human"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of staff tokens: exact `iss`, its keys, its groups claim, its organizations."""

    iss: str
    groups_claim: str
    organizations: frozenset[str]
    keys: KeySet = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Application:
    """What an application may be and do.

    Attributes:
        name: of `/app/NAME`.
        organizations: that it may touch.
        systems: register systems that it may name as the source of its records.
        token_client: `azp` of the staff tokens that it may present; empty = it presents none.
        may_assert: kinds of actor that it may name without a token.
        owns_cases: case kinds that it alone pushes.
        owns_events: events whose times it pushes, with which retention periods start.
    """

    name: str
    organizations: frozenset[str]
    systems: frozenset[str] = frozenset()
    token_client: str = ""
    may_assert: frozenset[str] = frozenset()
    owns_cases: frozenset[str] = frozenset()
    owns_events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Revocations:
    """What may no longer be used: token ids (`jti`), certificate fingerprints, person ids."""

    tokens: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principals:
    """The content of one principals.yaml; immutable.

    Attributes:
        trust_domain: of every certificate.
        issuers: by `iss`.
        applications: by name.
        persons: person id by (iss, sub).
        duties: per organization, the groups that carry each duty.
        revoked: what may no longer be used.
        generation: raised by each reload; a cache made under another one is stale.
    """

    trust_domain: str
    issuers: Mapping[str, Issuer]
    applications: Mapping[str, Application]
    persons: Mapping[tuple[str, str], str] = field(repr=False)
    duties: Mapping[str, Mapping[Duty, frozenset[str]]]
    revoked: Revocations = Revocations()
    generation: int = 0

    def application(self, name: str) -> Application:
        """Returns an application.

        Raises:
            DeniedError: PRINCIPAL_UNKNOWN.
        """
        found = self.applications.get(name)
        if found is None:
            raise error(Reason.PRINCIPAL_UNKNOWN)
        return found

    def person_id(self, iss: str, sub: str) -> str:
        """Returns the person behind an account.

        Raises:
            DeniedError: PRINCIPAL_UNKNOWN.
        """
        found = self.persons.get((iss, sub))
        if found is None:
            raise error(Reason.PRINCIPAL_UNKNOWN)
        return found

    def duties_of(self, groups: frozenset[str], *, organization: str) -> frozenset[Duty]:
        """Returns the duties that the groups of a token carry in an organization."""
        table = self.duties.get(organization, {})
        return frozenset(duty for duty, holders in table.items() if groups & holders)


class PrincipalsFile:
    """The file on disk: looks for a change at most once a second; safe from several threads."""

    def __init__(
        self, path: Path, *, mode: Mode, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads the file.

        Args:
            path: of principals.yaml; `jwks_file` is relative to its folder.
            mode: `dev` wants the dev trust domain, `production` refuses it.
            monotonic: seconds of a clock that never goes back.

        Raises:
            EmanetError: MANIFEST_INVALID with file and line, or CONFIG_INVALID.
        """
        self._path = path
        self._mode = mode
        self._monotonic = monotonic
        self._mutex = threading.Lock()
        self._stamps = _stamps_of((path,))
        self._current, self._watched = load_principals(path, mode=mode, generation=1)
        self._stamps = _stamps_of(self._watched)
        self._checked = monotonic()
        self._problem = ""

    @property
    def problem(self) -> str:
        """Why the file on disk is not in force (a reason), empty when it is."""
        return self._problem

    def current(self) -> Principals:
        """Returns the principals in force, after looking for a change."""
        now = self._monotonic()
        if now - self._checked >= _RELOAD_INTERVAL_S:
            with self._mutex:
                if now - self._checked >= _RELOAD_INTERVAL_S:
                    self._checked = now
                    self._look()
        return self._current

    def _look(self) -> None:
        stamps = _stamps_of(self._watched)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            fresh, watched = load_principals(
                self._path, mode=self._mode, generation=self._current.generation + 1
            )
        except EmanetError as exc:
            self._problem = exc.reason.value
            _log.warning(
                "principals.refused", reason=exc.reason.value, line=exc.metadata.get("line", "")
            )
            return
        self._current, self._watched = fresh, watched
        self._stamps = _stamps_of(watched)
        self._problem = ""
        _log.info("principals.loaded", generation=fresh.generation)


def load_principals(
    path: Path, *, mode: Mode, generation: int
) -> tuple[Principals, tuple[Path, ...]]:
    """Reads and checks the file and the key files that it names.

    Returns:
        the principals, and every file whose change matters.

    Raises:
        EmanetError: MANIFEST_INVALID with file and line; CONFIG_INVALID when a file cannot be
            read, a key file is not usable, or the trust domain does not fit the mode.
    """
    root = strict_yaml.load(read_operator_file(path), path.name)
    entries = root.closed(
        allowed=(
            "emanet",
            "trust_domain",
            "issuers",
            "applications",
            "persons",
            "duties",
            "revoked",
        ),
        required=("emanet", "trust_domain", "applications"),
    )
    if entries["emanet"].text() != "principals/v1":
        raise entries["emanet"].error("principals/v1 expected", "principals/v1 bekleniyordu")
    watched: list[Path] = [path]
    issuers = _issuers(entries.get("issuers"), path.parent, watched)
    principals = Principals(
        trust_domain=_trust_domain(entries["trust_domain"]),
        issuers=MappingProxyType(issuers),
        applications=MappingProxyType(_applications(entries["applications"])),
        persons=MappingProxyType(_persons(entries.get("persons"), issuers)),
        duties=MappingProxyType(_duties(entries.get("duties"))),
        revoked=_revocations(entries.get("revoked")),
        generation=generation,
    )
    _require_mode(principals, mode)
    return principals, tuple(watched)


def _require_mode(principals: Principals, mode: Mode) -> None:
    is_dev_domain = principals.trust_domain == DEV_TRUST_DOMAIN
    if mode is Mode.DEV and not is_dev_domain:
        raise configuration_problem(f"mode dev wants trust domain {DEV_TRUST_DOMAIN}")
    if mode is Mode.PRODUCTION and is_dev_domain:
        raise configuration_problem(f"mode production refuses trust domain {DEV_TRUST_DOMAIN}")
    if mode is Mode.PRODUCTION and any(DEV_TRUST_DOMAIN in iss for iss in principals.issuers):
        raise configuration_problem("mode production refuses the dev token issuer")


def _trust_domain(node: Node) -> str:
    text = node.text()
    if not text or text != text.casefold() or set(text) & set("/:@ "):
        raise node.error("trust domain expected", "güven alanı bekleniyordu")
    return text


def _issuers(node: Node | None, folder: Path, watched: list[Path]) -> dict[str, Issuer]:
    issuers: dict[str, Issuer] = {}
    for item in node.sequence() if node is not None else ():
        entry = item.closed(
            allowed=("iss", "jwks_file", "groups_claim", "organizations"),
            required=("iss", "jwks_file", "organizations"),
        )
        iss = entry["iss"].text()
        if iss in issuers:
            raise entry["iss"].error("issuer named twice", "yayıncı iki kez yazılmış")
        keys_path = folder / entry["jwks_file"].text()
        watched.append(keys_path)
        groups = entry.get("groups_claim")
        issuers[iss] = Issuer(
            iss=iss,
            groups_claim=groups.text() if groups is not None else "groups",
            organizations=_slugs(entry["organizations"]),
            keys=read_key_set(keys_path),
        )
    return issuers


def _applications(node: Node) -> dict[str, Application]:
    applications: dict[str, Application] = {}
    for name, item in node.mapping().items():
        if not is_slug(name):
            raise item.error("application name expected", "uygulama adı bekleniyordu")
        entry = item.closed(
            allowed=(
                "organizations",
                "systems",
                "token_client",
                "may_assert",
                "owns_cases",
                "owns_events",
            ),
            required=("organizations",),
        )
        may_assert = _texts(entry.get("may_assert"))
        if not may_assert <= _MAY_ASSERT:
            raise entry["may_assert"].error(
                "app, data_subject or human expected", "app, data_subject ya da human bekleniyordu"
            )
        client = entry.get("token_client")
        applications[name] = Application(
            name=name,
            organizations=_slugs(entry["organizations"]),
            systems=_slugs(entry.get("systems")),
            token_client=client.text() if client is not None else "",
            may_assert=may_assert,
            owns_cases=_slugs(entry.get("owns_cases")),
            owns_events=_slugs(entry.get("owns_events")),
        )
    _require_one_owner(node, applications)
    return applications


def _require_one_owner(node: Node, applications: Mapping[str, Application]) -> None:
    """A case kind of an organization comes from one application only (DESIGN of cases)."""
    owners: set[tuple[str, str]] = set()
    for application in applications.values():
        for organization in application.organizations:
            for kind in application.owns_cases:
                if (organization, kind) in owners:
                    raise node.mapping()[application.name].error(
                        f"case kind {kind} of {organization} has two owners",
                        f"{organization} kuruluşunun {kind} dosya türünün iki sahibi var",
                    )
                owners.add((organization, kind))


def _persons(node: Node | None, issuers: Mapping[str, Issuer]) -> dict[tuple[str, str], str]:
    persons: dict[tuple[str, str], str] = {}
    for person_id, item in node.mapping().items() if node is not None else ():
        if not is_slug(person_id):
            raise item.error("person id expected", "kişi kimliği bekleniyordu")
        entry = item.closed(allowed=("accounts",), required=("accounts",))
        for account in entry["accounts"].sequence():
            pair = account.closed(allowed=("iss", "sub"), required=("iss", "sub"))
            key = (pair["iss"].text(), pair["sub"].text())
            if key[0] not in issuers:
                raise pair["iss"].error("unknown issuer", "bilinmeyen yayıncı")
            if key in persons:
                raise pair["sub"].error(
                    "an account belongs to one person", "bir hesap tek kişiye aittir"
                )
            persons[key] = person_id
    return persons


def _duties(node: Node | None) -> dict[str, Mapping[Duty, frozenset[str]]]:
    duties: dict[str, Mapping[Duty, frozenset[str]]] = {}
    known = tuple(duty.value for duty in Duty)
    for organization, item in node.mapping().items() if node is not None else ():
        if not is_slug(organization):
            raise item.error("organization expected", "kuruluş kimliği bekleniyordu")
        table: dict[Duty, frozenset[str]] = {}
        for name, holders in item.closed(allowed=known).items():
            for holder in holders.sequence():
                if not holder.text().startswith(_GROUP_PREFIX):
                    raise holder.error("group:NAME expected", "group:AD bekleniyordu")
            table[Duty(name)] = frozenset(
                holder.text().removeprefix(_GROUP_PREFIX) for holder in holders.sequence()
            )
        duties[organization] = MappingProxyType(table)
    return duties


def _revocations(node: Node | None) -> Revocations:
    if node is None:
        return Revocations()
    entry = node.closed(allowed=("tokens", "certificates", "persons"))
    certificates = _texts(entry.get("certificates"))
    return Revocations(
        tokens=_texts(entry.get("tokens")),
        certificates=frozenset(item.replace(":", "").casefold() for item in certificates),
        persons=_texts(entry.get("persons")),
    )


def _slugs(node: Node | None) -> frozenset[str]:
    for item in node.sequence() if node is not None else ():
        if not is_slug(item.text()):
            raise item.error("slug expected", "kısa ad bekleniyordu")
    return _texts(node)


def _texts(node: Node | None) -> frozenset[str]:
    return frozenset(item.text() for item in node.sequence()) if node is not None else frozenset()


def _stamps_of(paths: tuple[Path, ...]) -> tuple[tuple[int, int, int] | None, ...]:
    stamps: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            stamps.append(None)
            continue
        stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(stamps)
