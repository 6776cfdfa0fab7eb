"""Resource names, slugs, subjects and installations (docs/formats/encodings.md, "Names").

Names are parsed and formatted here only, never by joining strings elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from emanet.core.encoding import b64url_decode, require_nfc
from emanet.core.errors import EmanetError, Reason, error
from emanet.core.identifiers import is_tckn
from emanet.core.ids import parse_uuid7

__all__ = [
    "MAX_CASE_REF_BYTES",
    "MAX_SUBJECT_BYTES",
    "Collection",
    "Name",
    "Subject",
    "format_name",
    "is_slug",
    "organization_of",
    "parse_installation",
    "parse_name",
    "parse_organization",
    "parse_slug",
    "parse_subject",
]

MAX_SUBJECT_BYTES = 128
MAX_CASE_REF_BYTES = 128

_SLUG = re.compile(r"[a-z][a-z0-9._-]{0,62}\Z")
_INSTALLATION = re.compile(r"[a-z0-9-]{1,32}\Z")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}\Z")
_ELEVEN_DIGITS = re.compile(r"(?<![0-9])[0-9]{11}(?![0-9])")
_PREFIX = "organizations/"
_KEY_ID_BYTES = 16


class Collection(StrEnum):
    """What can lie under an organization."""

    FIELDS = "fields"
    PURPOSES = "purposes"
    REGISTER_VERSIONS = "registerVersions"
    RULE_SETS = "ruleSets"
    ACCESS_RECORDS = "accessRecords"
    CASES = "cases"
    REVIEWS = "reviews"
    KEYS = "keys"
    DESTRUCTIONS = "destructions"


@dataclass(frozen=True, slots=True)
class Name:
    """A full resource name; `str()` gives its text.

    Attributes:
        organization: the organization's slug.
        collection: what kind of resource it is.
        id: slug (fields, purposes), decimal number from 1 (registerVersions, ruleSets), UUIDv7
            (accessRecords, reviews, destructions), `{kind}/{ref}` (cases; the reference as
            opaque as a subject's, at most 128 bytes), or 22 base64url characters (keys).
    """

    organization: str
    collection: Collection
    id: str

    def __post_init__(self) -> None:
        """Refuses parts that are not of their form with INVALID_NAME."""
        parse_organization(self.organization)
        _require_id(self.collection, self.id)

    def __str__(self) -> str:
        return f"{_PREFIX}{self.organization}/{self.collection.value}/{self.id}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the organization's own systems call them; `str()` gives `{namespace}/{ref}`.

    Attributes:
        namespace: slug that the register declares.
        ref: opaque reference; may contain `/`; no white space, no control characters.
    """

    namespace: str
    ref: str

    def __post_init__(self) -> None:
        """Refuses malformed parts with INVALID_SUBJECT and text not in NFC with TEXT_NOT_NFC."""
        if not _SLUG.match(self.namespace) or not _is_reference(self.ref):
            raise error(Reason.INVALID_SUBJECT)
        if len(self.namespace) + 1 + len(self.ref.encode()) > MAX_SUBJECT_BYTES:
            raise error(Reason.INVALID_SUBJECT)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.ref}"


def is_slug(text: str) -> bool:
    """Whether a text is `[a-z][a-z0-9._-]{0,62}`."""
    return bool(_SLUG.match(text))


def parse_slug(text: str) -> str:
    """Returns a slug unchanged.

    Raises:
        CallerError: INVALID_NAME when it is not `[a-z][a-z0-9._-]{0,62}`.
    """
    if not _SLUG.match(text):
        raise _invalid()
    return text


def parse_organization(slug: str) -> str:
    """Returns an organization's slug unchanged.

    Raises:
        CallerError: INVALID_NAME when it is not `[a-z][a-z0-9._-]{0,62}`.
    """
    if not is_slug(slug):
        raise error(
            Reason.INVALID_NAME,
            violations=(("organization", "a-z first, then a-z 0-9 . _ -, at most 63"),),
        )
    return slug


def parse_installation(text: str) -> str:
    """Returns an installation's name unchanged.

    Raises:
        CallerError: INVALID_NAME when it is not `[a-z0-9-]{1,32}`.
    """
    if not _INSTALLATION.match(text):
        raise _invalid()
    return text


def parse_name(name: str) -> Name:
    """Reads `organizations/{organization}/{collection}/{id}`.

    Raises:
        CallerError: INVALID_NAME for any other text.
    """
    parts = name.split("/", 3)
    if len(parts) != 4 or f"{parts[0]}/" != _PREFIX:
        raise _invalid()
    return _named(parts[1], parts[2], parts[3])


def format_name(organization: str, collection: str, resource_id: str) -> str:
    """Writes `organizations/{organization}/{collection}/{id}`.

    Raises:
        CallerError: INVALID_NAME when a part is not of its form.
    """
    return str(_named(organization, collection, resource_id))


def organization_of(value: str) -> str:
    """The organization of a slug, of `organizations/{organization}` or of any full name.

    Raises:
        CallerError: INVALID_NAME for any other text.
    """
    if not value.startswith(_PREFIX):
        return parse_organization(value)
    if value.count("/") == 1:
        return parse_organization(value.removeprefix(_PREFIX))
    return parse_name(value).organization


def parse_subject(text: str, *, allow_identity_number: bool = False) -> Subject:
    """Reads `{namespace}/{ref}`, split at the first `/`, at most 128 bytes of UTF-8.

    Args:
        text: the subject.
        allow_identity_number: true only for a namespace that the register declares to hold T.C.
            numbers.

    Raises:
        CallerError: INVALID_SUBJECT for another form, or when the reference holds eleven digits
            that pass as a T.C. number and that is not allowed; TEXT_NOT_NFC.
    """
    namespace, _, ref = text.partition("/")
    subject = Subject(namespace=namespace, ref=ref)
    if not allow_identity_number and any(map(is_tckn, _ELEVEN_DIGITS.findall(ref))):
        raise error(Reason.INVALID_SUBJECT)
    return subject


def _is_reference(ref: str) -> bool:
    if ref.isascii():
        return bool(ref) and ref.isprintable() and " " not in ref
    require_nfc(ref)
    return all(unicodedata.category(character)[0] not in "CZ" for character in ref)


def _require_id(collection: Collection, text: str) -> None:
    match collection:
        case Collection.FIELDS | Collection.PURPOSES:
            parse_slug(text)
        case Collection.REGISTER_VERSIONS | Collection.RULE_SETS:
            if not _NUMBER.match(text):
                raise _invalid()
        case Collection.ACCESS_RECORDS | Collection.REVIEWS | Collection.DESTRUCTIONS:
            _require_uuid7(text)
        case Collection.CASES:
            kind, _, ref = text.partition("/")
            parse_slug(kind)
            if not _is_reference(ref) or len(ref.encode()) > MAX_CASE_REF_BYTES:
                raise _invalid()
        case Collection.KEYS:
            _require_key_id(text)


def _named(organization: str, collection: str, resource_id: str) -> Name:
    try:
        known = Collection(collection)
    except ValueError:
        raise _invalid() from None
    return Name(organization=organization, collection=known, id=resource_id)


def _require_uuid7(text: str) -> None:
    try:
        parse_uuid7(text)
    except EmanetError:
        raise _invalid() from None


def _require_key_id(text: str) -> None:
    try:
        size = len(b64url_decode(text))
    except EmanetError:
        raise _invalid() from None
    if size != _KEY_ID_BYTES:
        raise _invalid()


def _invalid() -> EmanetError:
    return error(Reason.INVALID_NAME)
