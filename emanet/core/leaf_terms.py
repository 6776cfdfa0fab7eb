"""The closed sets of words that log leaves use (docs/formats/leaf.md)."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "Act",
    "ActorAuth",
    "ActorKind",
    "KeyOperation",
    "LeafType",
    "Mode",
    "Verdict",
]


class LeafType(StrEnum):
    """The member `t`. Reserved: tombstone, keystore, signer, review, breakglass, fork, sealkey."""

    ACCESS = "access"
    OUTCOME = "outcome"
    REGISTER = "register"
    RULES = "rules"
    CASES = "cases"
    RETENTION = "retention"
    KEY = "key"


class ActorKind(StrEnum):
    """Who acted: a member of staff, an application by itself, or the person whose data it is."""

    HUMAN = "human"
    APP = "app"
    DATA_SUBJECT = "data_subject"


class ActorAuth(StrEnum):
    """How the actor was known: own token, the application's certificate, or its word only."""

    TOKEN = "token"  # noqa: S105 - a way of being known, no secret
    MTLS = "mtls"
    ASSERTED = "asserted"


class Act(StrEnum):
    """What was done with the values."""

    LIST = "list"
    SEARCH = "search"
    READ_MASKED = "read_masked"
    READ = "read"
    EXPORT = "export"
    DECRYPT = "decrypt"
    UPDATE = "update"
    DELETE = "delete"
    DISCLOSE = "disclose"


class Verdict(StrEnum):
    """The decision."""

    ALLOW = "allow"
    DENY = "deny"


class Mode(StrEnum):
    """Whether the decision was enforced, allowed with an alert, or only observed."""

    ENFORCE = "enforce"
    ALERT = "alert"
    OBSERVE = "observe"


class KeyOperation(StrEnum):
    """What happened to keys: the intent and the end of a destruction, or an epoch's destruction."""

    DESTROY_INTENT = "destroy_intent"
    DESTROYED = "destroyed"
    EPOCH = "epoch"
