"""Staff tokens: one shape is accepted, everything beside it refused."""

from __future__ import annotations

import base64
import json
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey

from emanet.core.clock import FixedClock
from emanet.core.errors import EmanetError, Reason
from services.runtime.authorisation import Duty
from services.runtime.principals import PrincipalsFile
from services.runtime.settings import Mode
from services.runtime.tokens import TokenVerifier
from tests.fakes.small_service import PRINCIPALS
from tests.fakes.staff_tokens import ISSUER, TokenIssuer, shared_issuer


class Site:
    """Principals, an issuer and a verifier under a clock that can be moved."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "principals.yaml"
        self.jwks = folder / "jwks.json"
        self.issuer = shared_issuer()
        self.issuer.write_jwks(self.jwks)
        self.path.write_text(PRINCIPALS, "utf-8")
        self.now = int(time.time())
        self.clock = FixedClock(datetime.fromtimestamp(self.now, UTC))
        self.seconds = 0.0
        self.principals = PrincipalsFile(self.path, mode=Mode.DEV, monotonic=lambda: self.seconds)
        self.verifier = TokenVerifier(
            principals=self.principals, installation="test", clock=self.clock
        )

    def reason(self, token: str) -> Reason:
        with pytest.raises(EmanetError) as raised:
            self.verifier.verify(token)
        return raised.value.reason


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519"])
def test_each_accepted_algorithm(site: Site, algorithm: str) -> None:
    person = site.verifier.verify(site.issuer.token("b2", algorithm=algorithm))
    assert person.person_id == "s-002"
    assert person.organizations == {"cinar", "mese"}
    assert person.session == "session-1"
    assert person.client == "panel"


def test_eddsa_under_its_old_name_is_accepted_without_a_warning(site: Site) -> None:
    key = site.issuer._keys["Ed25519"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        token = jwt.encode(
            {"alg": "EdDSA", "kid": "ed"}, site.issuer.claims("a1"), key, algorithms=["EdDSA"]
        )
    assert site.verifier.verify(token).person_id == "s-001"


def test_accounts_of_one_person_are_one_person(site: Site) -> None:
    ids = {site.verifier.verify(site.issuer.token(sub)).person_id for sub in ("b1", "b2")}
    assert ids == {"s-002"}


def test_duties_come_from_groups_per_organization(site: Site) -> None:
    person = site.verifier.verify(site.issuer.token("a1", groups=["kvkk", "yonetim"]))
    assert person.duties == {
        "cinar": frozenset({Duty.DPO, Duty.APPROVER}),
        "mese": frozenset(),
    }
    assert not person.has_duty(frozenset({Duty.DPO}), organization="mese")
    assert not person.has_duty(frozenset(), organization="cinar")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://other.example"}, Reason.TOKEN_INVALID),
        ({"iss": ISSUER + "/"}, Reason.TOKEN_INVALID),
        ({"aud": "emanet:other"}, Reason.TOKEN_INVALID),
        ({"aud": ["emanet:test", "account"]}, Reason.TOKEN_INVALID),
        ({"aud": None}, Reason.TOKEN_INVALID),
        ({"aud": []}, Reason.TOKEN_INVALID),
        ({"sub": "nobody"}, Reason.PRINCIPAL_UNKNOWN),
        ({"sub": 7}, Reason.TOKEN_INVALID),
        ({"sub": None}, Reason.TOKEN_INVALID),
        ({"jti": None}, Reason.TOKEN_INVALID),
        ({"jti": ""}, Reason.TOKEN_INVALID),
        ({"jti": "revoked-token"}, Reason.PRINCIPAL_REVOKED),
        ({"azp": None}, Reason.TOKEN_INVALID),
        ({"exp": None}, Reason.TOKEN_INVALID),
        ({"iat": None}, Reason.TOKEN_INVALID),
        ({"exp": "soon"}, Reason.TOKEN_INVALID),
        ({"exp": True}, Reason.TOKEN_INVALID),
        ({"groups": "kvkk"}, Reason.TOKEN_INVALID),
        ({"groups": [["kvkk"]]}, Reason.TOKEN_INVALID),
        ({"groups": ["g"] * 513}, Reason.TOKEN_INVALID),
    ],
)
def test_wrong_claim_is_refused(site: Site, changes: dict[str, object], reason: Reason) -> None:
    claims = site.issuer.claims("a1") | changes
    token = site.issuer.sign({name: value for name, value in claims.items() if value is not None})
    assert site.reason(token) is reason


def test_lifetime_ends_exactly_at_exp(site: Site) -> None:
    token = site.issuer.token("a1", iat=site.now, exp=site.now + 600)
    site.clock.advance(timedelta(seconds=599))
    site.verifier.verify(token)
    site.clock.advance(timedelta(seconds=1))
    assert site.reason(token) is Reason.TOKEN_EXPIRED


@pytest.mark.parametrize(
    ("iat", "exp"), [(0, 901), (0, 0), (10, 0), (31, 600)], ids=["long", "empty", "back", "ahead"]
)
def test_lifetime_beyond_fifteen_minutes_or_in_the_future_is_refused(
    site: Site, iat: int, exp: int
) -> None:
    token = site.issuer.token("a1", iat=site.now + iat, exp=site.now + exp)
    assert site.reason(token) is Reason.TOKEN_INVALID


def test_token_that_is_not_valid_yet_is_refused(site: Site) -> None:
    assert site.reason(site.issuer.token("a1", nbf=site.now + 60)) is Reason.TOKEN_INVALID


def test_fresh_login_ends_after_five_minutes(site: Site) -> None:
    person = site.verifier.verify(site.issuer.token("a1", auth_time=site.now))
    assert person.is_fresh(site.clock.now() + timedelta(seconds=300))
    assert not person.is_fresh(site.clock.now() + timedelta(seconds=301))
    assert not person.is_fresh(site.clock.now() - timedelta(seconds=31))
    unknown = site.verifier.verify(site.issuer.token("a1", auth_time=None))
    assert not unknown.is_fresh(site.clock.now())


def test_foreign_key_is_refused(site: Site) -> None:
    """A token that another issuer signed for the same names is worthless."""
    assert site.reason(TokenIssuer().token("a1")) is Reason.TOKEN_INVALID


def test_unsigned_and_symmetric_tokens_are_refused(site: Site) -> None:
    """alg=none and the public key used as an HMAC secret are the two classic forgeries."""
    claims = site.issuer.claims("a1")
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "kid": "rsa"}, claims)
    ]
    assert site.reason(f"{parts[0]}.{parts[1]}.") is Reason.TOKEN_INVALID
    public = site.issuer._keys["RS256"].as_pem(private=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        secret = OctKey.import_key(base64.b64encode(public))
    forged = jwt.encode({"alg": "HS256", "kid": "rsa"}, claims, secret, algorithms=["HS256"])
    assert site.reason(forged) is Reason.TOKEN_INVALID


def test_key_named_in_the_token_is_never_used(site: Site) -> None:
    """A `jwk` header brings its own key; only the issuer's file counts."""
    key = OKPKey.generate_key("Ed25519", {"kid": "ed"})
    header = {"alg": "Ed25519", "kid": "ed", "jwk": key.as_dict(private=False)}
    payload = json.dumps(site.issuer.claims("a1"))
    forged = jws.serialize_compact(header, payload, key, algorithms=["Ed25519"])
    assert site.reason(forged) is Reason.TOKEN_INVALID


def test_key_of_another_kind_than_the_algorithm_is_refused(site: Site) -> None:
    key = ECKey.generate_key("P-256", {"kid": "rsa"})
    forged = jwt.encode(
        {"alg": "ES256", "kid": "rsa"}, site.issuer.claims("a1"), key, algorithms=["ES256"]
    )
    assert site.reason(forged) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "x" * 9000, "\ud800"]
)
def test_garbage_is_refused(site: Site, token: str) -> None:
    assert site.reason(token) is Reason.TOKEN_INVALID


def test_oversized_token_is_refused_whoever_signed_it(site: Site) -> None:
    assert site.reason(site.issuer.token("a1", padding="x" * 8192)) is Reason.TOKEN_INVALID


def test_duplicate_claims_are_refused(site: Site) -> None:
    claims = json.dumps(site.issuer.claims("a1"))
    payload = claims[:-1] + ', "sub": "b1"}'
    key = site.issuer._keys["Ed25519"]
    forged = jws.serialize_compact(
        {"alg": "Ed25519", "kid": "ed"}, payload, key, algorithms=["Ed25519"]
    )
    assert site.reason(forged) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("index", range(3))
def test_flipped_character_is_refused(site: Site, index: int) -> None:
    parts = site.issuer.token("a1").split(".")
    middle = len(parts[index]) // 2
    changed = "A" if parts[index][middle] != "A" else "B"
    parts[index] = parts[index][:middle] + changed + parts[index][middle + 1 :]
    assert site.reason(".".join(parts)) is Reason.TOKEN_INVALID


def test_verified_token_is_refused_once_person_or_key_is_gone(site: Site) -> None:
    """Remembering a signature never outlives a change of principals.yaml or of the keys."""
    token = site.issuer.token("a1")
    site.verifier.verify(token)
    site.verifier.verify(token)
    text = site.path.read_text("utf-8")
    site.path.write_text(text.replace("persons: []}", "persons: [s-001]}"), "utf-8")
    site.seconds += 1.1
    assert site.reason(token) is Reason.PRINCIPAL_REVOKED
    site.path.write_text(text, "utf-8")
    site.seconds += 1.1
    site.verifier.verify(token)
    TokenIssuer().write_jwks(site.jwks)
    site.seconds += 1.1
    assert site.reason(token) is Reason.TOKEN_INVALID


def test_person_and_token_are_not_in_the_repr(site: Site) -> None:
    person = site.verifier.verify(site.issuer.token("a1", jti="token-7", groups=["kvkk"]))
    for hidden in ("s-001", "token-7", "session-1", "kvkk"):
        assert hidden not in repr(person)


def test_presenter_must_be_the_client_of_the_token(site: Site) -> None:
    person = site.verifier.verify(site.issuer.token("a1", azp="panel"))
    principals = site.principals.current()
    site.verifier.verify_presenter(person, principals.application("panel"))
    for name in ("helpdesk", "robot"):
        with pytest.raises(EmanetError) as raised:
            site.verifier.verify_presenter(person, principals.application(name))
        assert raised.value.reason is Reason.TOKEN_INVALID
