"""Staff tokens: JWTs of the organization's identity provider (RFC 7519, RFC 8725).

Accepted: RS256, ES256 and EdDSA with Ed25519; exact `iss`; `aud` = `emanet:<installation>` and
nothing else; `sub`, `jti`, `azp`, `iat` and `exp` present, at most 15 minutes between the last
two. Roles and duties come from the groups claim alone. A token is bound to the application that
its `azp` names: another application cannot present it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from emanet.core.clock import Clock
from emanet.core.errors import EmanetError, Reason, error
from services.runtime.authorisation import Duty
from services.runtime.primitives import sha256
from services.runtime.principals import Application, Issuer, Principals, PrincipalsFile

__all__ = ["FRESH_LOGIN_S", "MAX_LIFETIME_S", "Staff", "TokenVerifier"]

MAX_LIFETIME_S = 15 * 60
FRESH_LOGIN_S = 5 * 60
_CLOCK_SKEW_S = 30
_MAX_TOKEN_CHARS = 8_192
_MAX_TEXT_CHARS = 256
_MAX_GROUPS = 512
_CACHE_ENTRIES = 10_000
_ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")


@dataclass(frozen=True, slots=True)
class Staff:
    """The person of a verified staff token.

    Attributes:
        person_id: from principals.yaml; the same for every account of one person.
        groups: of the token's groups claim, as the issuer writes them (no `group:` prefix).
        token_id: `jti`.
        session: `sid`, empty when the issuer sends none.
        client: `azp`, the token client that the token was issued to.
        issuer: `iss`.
        organizations: of the issuer; the person can touch no other.
        auth_time: when the person last logged in; None when the issuer does not say.
        expires: `exp`.
        duties: per organization, from groups and principals.yaml.
    """

    person_id: str = field(repr=False)
    groups: frozenset[str] = field(repr=False)
    token_id: str = field(repr=False)
    session: str = field(repr=False)
    client: str
    issuer: str
    organizations: frozenset[str]
    auth_time: datetime | None
    expires: datetime
    duties: Mapping[str, frozenset[Duty]]

    def has_duty(self, duties: frozenset[Duty], *, organization: str) -> bool:
        """Tells whether the person has at least one of the duties in the organization."""
        return bool(self.duties.get(organization, frozenset()) & duties)

    def is_fresh(self, now: datetime) -> bool:
        """Tells whether the log-in is at most five minutes old; unknown is not fresh."""
        if self.auth_time is None:
            return False
        age = (now - self.auth_time).total_seconds()
        return -_CLOCK_SKEW_S <= age <= FRESH_LOGIN_S


@dataclass(frozen=True, slots=True)
class _Claims:
    iss: str
    sub: str
    jti: str
    azp: str
    sid: str
    groups: frozenset[str]
    iat: int
    nbf: int
    exp: int
    auth_time: int | None


class _Registry(JWSRegistry):
    """Reads `EdDSA` as Ed25519, its only curve here (RFC 9864 deprecates the wide name)."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """Returns the algorithm of an allowed name."""
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


class TokenVerifier:
    """Verifies staff tokens; remembers signatures that it has verified until they expire."""

    def __init__(self, *, principals: PrincipalsFile, installation: str, clock: Clock) -> None:
        """Builds a verifier for the audience `emanet:<installation>`."""
        self._principals = principals
        self._audience = f"emanet:{installation}"
        self._clock = clock
        self._registry = _Registry(algorithms=_ALGORITHMS)
        self._mutex = threading.Lock()
        self._generation = 0
        self._known: dict[bytes, tuple[_Claims, Staff]] = {}

    def verify(self, token: str) -> Staff:
        """Verifies signature, claims, person and revocation of a token.

        The presenter is not looked at; see `verify_presenter`. What was verified under the
        principals in force is remembered, its times are looked at in each call.

        Raises:
            DeniedError: TOKEN_INVALID, TOKEN_EXPIRED, PRINCIPAL_UNKNOWN (the account belongs to
                nobody in principals.yaml), PRINCIPAL_REVOKED.
        """
        principals = self._principals.current()
        digest = sha256(token.encode("utf-8", "surrogatepass"))
        known = self._known_under(principals).get(digest)
        if known is None:
            claims = self._verified(token, principals)
            self._require_current(claims)
            known = claims, _staff_of(claims, principals)
            self._remember(digest, known, principals)
        else:
            self._require_current(known[0])
        return known[1]

    def verify_presenter(self, person: Staff, application: Application) -> None:
        """Verifies that the token was issued to the application that presents it.

        Raises:
            DeniedError: TOKEN_INVALID, it was issued to another one.
        """
        if not application.token_client or application.token_client != person.client:
            raise _invalid("azp")

    def _known_under(self, principals: Principals) -> dict[bytes, tuple[_Claims, Staff]]:
        with self._mutex:
            if self._generation != principals.generation:
                self._known = {}
                self._generation = principals.generation
            return self._known

    def _remember(
        self, digest: bytes, known: tuple[_Claims, Staff], principals: Principals
    ) -> None:
        with self._mutex:
            if self._generation != principals.generation:
                return
            while len(self._known) >= _CACHE_ENTRIES:
                self._known.pop(next(iter(self._known)))
            self._known[digest] = known

    def _verified(self, token: str, principals: Principals) -> _Claims:
        if len(token) > _MAX_TOKEN_CHARS or not token.isascii():
            raise _invalid("form")
        try:
            signed = jws.extract_compact(token.encode(), registry=self._registry)
            claims = _object(signed.payload)
            issuer = principals.issuers.get(_text(claims, "iss"))
            if issuer is None:
                raise _invalid("iss")
            if not jws.validate_compact(
                signed, issuer.keys, algorithms=_ALGORITHMS, registry=self._registry
            ):
                raise _invalid("signature")
        except EmanetError:
            raise
        except (JoseError, ValueError, TypeError, KeyError):
            raise _invalid("signature") from None
        return self._checked(claims, issuer)

    def _checked(self, claims: Mapping[str, object], issuer: Issuer) -> _Claims:
        audience = claims.get("aud")
        if audience not in (self._audience, [self._audience]):
            raise _invalid("aud")
        checked = _Claims(
            iss=issuer.iss,
            sub=_text(claims, "sub"),
            jti=_text(claims, "jti"),
            azp=_text(claims, "azp"),
            sid=_text(claims, "sid") if "sid" in claims else "",
            groups=_groups(claims, issuer.groups_claim),
            iat=_seconds(claims, "iat"),
            nbf=_seconds(claims, "nbf") if "nbf" in claims else 0,
            exp=_seconds(claims, "exp"),
            auth_time=_seconds(claims, "auth_time") if "auth_time" in claims else None,
        )
        if not 0 < checked.exp - checked.iat <= MAX_LIFETIME_S:
            raise _invalid("lifetime")
        return checked

    def _require_current(self, claims: _Claims) -> None:
        now = self._clock.now().timestamp()
        if now >= claims.exp:
            raise error(Reason.TOKEN_EXPIRED)
        if now + _CLOCK_SKEW_S < max(claims.nbf, claims.iat):
            raise _invalid("nbf")


def _staff_of(claims: _Claims, principals: Principals) -> Staff:
    person_id = principals.person_id(claims.iss, claims.sub)
    revoked = principals.revoked
    if claims.jti in revoked.tokens or person_id in revoked.persons:
        raise error(Reason.PRINCIPAL_REVOKED)
    organizations = principals.issuers[claims.iss].organizations
    return Staff(
        person_id=person_id,
        groups=claims.groups,
        token_id=claims.jti,
        session=claims.sid,
        client=claims.azp,
        issuer=claims.iss,
        organizations=organizations,
        auth_time=None if claims.auth_time is None else _moment(claims.auth_time),
        expires=_moment(claims.exp),
        duties=MappingProxyType(
            {
                organization: principals.duties_of(claims.groups, organization=organization)
                for organization in organizations
            }
        ),
    )


def _object(payload: bytes) -> Mapping[str, object]:
    claims = json.loads(payload.decode("utf-8"), object_pairs_hook=_unique)
    if not isinstance(claims, dict):
        raise _invalid("form")
    return claims


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _invalid("form")
    return value


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT_CHARS:
        raise _invalid(name)
    return value


def _seconds(claims: Mapping[str, object], name: str) -> int:
    """NumericDate; a fraction is cut off (RFC 7519, section 2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(name)
    if not 0 <= value < 2**40:
        raise _invalid(name)
    return int(value)


def _groups(claims: Mapping[str, object], name: str) -> frozenset[str]:
    value = claims.get(name, [])
    if not isinstance(value, list) or len(value) > _MAX_GROUPS:
        raise _invalid(name)
    if not all(isinstance(item, str) and 0 < len(item) <= _MAX_TEXT_CHARS for item in value):
        raise _invalid(name)
    return frozenset(value)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _invalid(problem: str) -> EmanetError:
    return error(Reason.TOKEN_INVALID, problem=problem)
