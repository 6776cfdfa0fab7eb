"""What a claim may assert: a closed set of keys, checked for shape here and for truth elsewhere."""

# ruff: noqa: D102 -- the methods of every codec are described once, in the protocol Codec

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emanet.core.strict_yaml import Node, hints, short
from emanet.register.codec import (
    SLUG,
    ChoiceCodec,
    Codec,
    CodeCodec,
    PatternCodec,
    PeriodCodec,
    ShapeError,
    TextCodec,
    TruthCodec,
    WholeCodec,
)
from emanet.register.codec_shapes import ListCodec, Member
from emanet.register.entities import Level
from emanet.register.processing import Claim

__all__ = ["ASSERTIONS", "ClaimCodec"]


class _RecordCodec:
    """An assertion's arguments: a closed set of keys, kept as canonical JSON."""

    def __init__(self, *members: Member) -> None:
        self._members = {member.key: member for member in members}

    def lift(self, node: Node) -> object:
        required = (key for key, member in self._members.items() if member.required)
        entries = node.closed(allowed=self._members, required=required)
        return {key: self._members[key].codec.lift(child) for key, child in entries.items()}

    def decode(self, value: object, path: str) -> object:
        if not isinstance(value, Mapping):
            raise ShapeError(path, "mapping expected", "eşleme bekleniyordu")
        for key in value:
            if key not in self._members:
                hint, hint_tr = hints(str(key), self._members)
                raise ShapeError(
                    f"{path}/{key}",
                    f"unknown key {short(str(key))}{hint}",
                    f"bilinmeyen anahtar {short(str(key))}{hint_tr}",
                )
        for key, member in self._members.items():
            if member.required and key not in value:
                raise ShapeError(path, f"key {key!r} is missing", f"{key!r} anahtarı eksik")
        return MappingProxyType(
            {
                key: _kept(self._members[key].codec, part, f"{path}/{key}")
                for key, part in value.items()
            }
        )

    def encode(self, value: object) -> object:
        return _thawed(value)


_text = TextCodec()
_slug = PatternCodec(SLUG, "a name", "ad")
_slugs = ListCodec(_slug)
_types = ListCodec(CodeCodec("data_types", words=["all"]), minimum=1)
_of = Member("of", _types, required=True)

# Each assertion is one kind of promise met in the five policies (domain/kvkk.md §6).
ASSERTIONS: Mapping[str, Codec] = MappingProxyType(
    {
        "only_fields": _RecordCodec(Member("activity", _slug, required=True), _of),
        "only_purposes": _RecordCodec(_of, Member("allow", _slugs, required=True)),
        "only_recipients": _RecordCodec(_of, Member("allow", _slugs, required=True)),
        "only_roles": _RecordCodec(_of, Member("allow", _slugs, required=True)),
        "recipient_uses": _RecordCodec(
            Member("recipient", _slug, required=True), Member("only_for", _slugs, required=True)
        ),
        "retention_unlimited": TruthCodec(),
        "retention_stated": _RecordCodec(_of),
        "no_person_link": _RecordCodec(_of),
        "not_stored": _RecordCodec(_of),
        "needs_reason": _RecordCodec(_of),
        "declared": _RecordCodec(_of),
        "levels": _RecordCodec(_of, Member("at_least", ChoiceCodec(Level), required=True)),
        "measures": ListCodec(CodeCodec("measures"), minimum=1),
        "purpose_required": TruthCodec(),
        "consent_for": _RecordCodec(Member("purpose", _slug, required=True)),
        "opt_out": _RecordCodec(
            Member("purpose", _slug, required=True),
            Member("channels", _slugs),
            Member("effective_within", _text),
        ),
        "each_disclosure_has": _RecordCodec(
            Member("recipient", _slug, required=True), Member("case", _slug, required=True)
        ),
        "abroad_has_mechanism": _RecordCodec(Member("recipient", _slug, required=True)),
        "notice_days": _RecordCodec(
            Member("notice", _slug, required=True),
            Member("at_least", WholeCodec(maximum=3_650), required=True),
        ),
        "erasure": _RecordCodec(Member("answered_within", PeriodCodec(), required=True)),
        "correction": _RecordCodec(Member("answered_within", PeriodCodec(), required=True)),
        "not_checkable": TextCodec(),
    }
)

_OWN: Mapping[str, Codec] = MappingProxyType(
    {"says": _text, "stands": _text, "repaired_by": _slugs}
)
_KEYS = frozenset(ASSERTIONS) | frozenset(_OWN) | {"exception"}


class ClaimCodec:
    """A claim: what is said, at least one assertion, and how it stands."""

    def lift(self, node: Node) -> object:
        entries = node.closed(allowed=_KEYS, required=["says"])
        codecs = {**ASSERTIONS, **_OWN}
        lifted = {key: codecs[key].lift(part) for key, part in entries.items() if key in codecs}
        if "exception" in entries:
            conditions = entries["exception"].mapping()
            lifted["exception"] = {key: part.text() for key, part in conditions.items()}
        return lifted

    def decode(self, value: object, path: str) -> Claim:
        if not isinstance(value, Mapping):
            raise ShapeError(path, "mapping expected", "eşleme bekleniyordu")
        for key in value:
            if key not in _KEYS:
                hint, hint_tr = hints(str(key), _KEYS)
                raise ShapeError(
                    f"{path}/{key}",
                    f"unknown key {short(str(key))}{hint}",
                    f"bilinmeyen anahtar {short(str(key))}{hint_tr}",
                )
        assertions = {
            key: _kept(ASSERTIONS[key], value[key], f"{path}/{key}")
            for key in sorted(ASSERTIONS)
            if key in value
        }
        if "says" not in value or not assertions:
            raise ShapeError(
                path,
                "a claim has 'says' and at least one assertion",
                "bir taahhütte 'says' ve en az bir savlama bulunur",
            )
        own = {key: _OWN[key].decode(value[key], f"{path}/{key}") for key in _OWN if key in value}
        return Claim(
            assertions=MappingProxyType(assertions),
            exception=_exception(value, path),
            **own,  # type: ignore[arg-type]  # the codecs of _OWN return what the attributes hold
        )

    def encode(self, value: object) -> object:
        if not isinstance(value, Claim):
            raise TypeError("a claim codec encodes claims")
        encoded: dict[str, object] = {"says": value.says}
        encoded.update({key: _thawed(part) for key, part in value.assertions.items()})
        if value.stands is not None:
            encoded["stands"] = value.stands
        if value.repaired_by:
            encoded["repaired_by"] = list(value.repaired_by)
        if value.exception:
            encoded["exception"] = dict(value.exception)
        return encoded


def _exception(value: Mapping[str, object], path: str) -> Mapping[str, str] | None:
    found = value.get("exception")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise ShapeError(f"{path}/exception", "mapping expected", "eşleme bekleniyordu")
    return MappingProxyType(
        {
            _slug.decode(key, f"{path}/exception/{key}"): _text.decode(
                part, f"{path}/exception/{key}"
            )
            for key, part in sorted(found.items())
        }
    )


def _kept(codec: Codec, value: object, path: str) -> object:
    return _frozen(codec.encode(codec.decode(value, path)))


def _frozen(value: object) -> object:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(part) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_frozen(part) for part in value)
    return value


def _thawed(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _thawed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_thawed(part) for part in value]
    return value
