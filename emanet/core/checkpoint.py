r"""Signed checkpoints: C2SP tlog-checkpoint inside C2SP signed-note (docs/formats/log.md).

A note is a text, an empty line and one signature line for each signer:

    <origin>\n<size>\n<base64 root>\n
    \n
    — <key name> <base64(key id(4) ‖ Ed25519 signature(64))>\n

An accepted checkpoint shows that the key's holder signed this size and root. It does not show that
the holder showed everybody the same one: that needs a witness, or a client's memory.
Signing and verifying are callables, so that this module needs no cryptography package.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from emanet.core.errors import EmanetError, Reason, error
from emanet.core.merkle import EMPTY_ROOT, HASH_BYTES
from emanet.core.names import parse_installation, parse_organization

__all__ = [
    "MAX_SIGNATURES",
    "Checkpoint",
    "Note",
    "NoteSignature",
    "Sign",
    "Verify",
    "Vkey",
    "format_checkpoint",
    "format_note",
    "format_origin",
    "format_vkey",
    "key_id",
    "open_checkpoint",
    "open_note",
    "parse_checkpoint",
    "parse_note",
    "parse_vkey",
    "sign_checkpoint",
]

# Signed-note asks readers to accept at least 16 signatures; a bound keeps a hostile note cheap.
MAX_SIGNATURES = 100

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]

_ED25519 = 0x01
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_MAX_NOTE_CHARACTERS = 65_536
_SIGNATURE_PREFIX = "— "
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
_KEY_ID = re.compile(r"[0-9a-f]{8}\Z")
_NAME = re.compile(r"[^\s+]{1,200}\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at one size.

    Attributes:
        origin: the log's name, which is the key's name too.
        size: number of leaves.
        root: RFC 6962 root, 32 bytes; SHA-256 of nothing for size 0.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        """Refuses malformed parts with LOG_CORRUPT."""
        if not _is_key_name(self.origin):
            raise _corrupt("the origin is not a key name")
        if not 0 <= self.size < 2**63 or len(self.root) != HASH_BYTES:
            raise _corrupt("the checkpoint's size or root is out of range")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise _corrupt("an empty log has another root")


@dataclass(frozen=True, slots=True)
class Vkey:
    """An Ed25519 verifier key with its name.

    Attributes:
        name: key name, equal to the origin of the log.
        public_key: 32 bytes.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuses malformed parts with LOG_CORRUPT."""
        if not _is_key_name(self.name) or len(self.public_key) != _KEY_BYTES:
            raise _corrupt("the verifier key is malformed")

    @property
    def key_id(self) -> bytes:
        """The 4-byte key id."""
        return key_id(self.name, self.public_key)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the signer's name, its 4-byte key id and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note: its text, which ends with a line feed, and its signatures in order."""

    text: str
    signatures: tuple[NoteSignature, ...]


def format_origin(*, installation: str, organization: str, generation: int, dev: bool) -> str:
    """The origin of a log: `emanet/<installation>/<organization>/<generation>`.

    Args:
        installation: `[a-z0-9-]{1,32}`.
        organization: bare slug.
        generation: 1 for the first log of an organization.
        dev: true writes `emanet-dev/…`, so that a test log never passes for a real one.

    Raises:
        CallerError: INVALID_NAME when a part is not of its form.
    """
    if generation < 1:
        raise error(Reason.INVALID_NAME)
    parts = (parse_installation(installation), parse_organization(organization), str(generation))
    return "/".join(("emanet-dev" if dev else "emanet", *parts))


def key_id(name: str, public_key: bytes) -> bytes:
    """SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), first 4 bytes; 0x01 means Ed25519."""
    message = name.encode() + b"\n" + bytes((_ED25519,)) + public_key
    return hashlib.sha256(message).digest()[:_KEY_ID_BYTES]


def format_vkey(vkey: Vkey) -> str:
    """One line: name `+` key id in 8 lower-case hex digits `+` base64(0x01 ‖ public key)."""
    encoded = base64.b64encode(bytes((_ED25519,)) + vkey.public_key).decode()
    return f"{vkey.name}+{vkey.key_id.hex()}+{encoded}"


def parse_vkey(text: str) -> Vkey:
    """Reads `format_vkey`, with or without one line feed at the end.

    Raises:
        IntegrityError: LOG_CORRUPT for another form, another algorithm, or a key id that is not
            the id of that name and key.
    """
    parts = text.removesuffix("\n").split("+", 2)
    if len(parts) != 3 or not _KEY_ID.match(parts[1]):
        raise _corrupt("the verifier key is malformed")
    data = _base64(parts[2])
    if len(data) != 1 + _KEY_BYTES or data[0] != _ED25519:
        raise _corrupt("the verifier key is not Ed25519")
    vkey = Vkey(name=parts[0], public_key=data[1:])
    if vkey.key_id.hex() != parts[1]:
        raise _corrupt("the verifier key's id does not fit")
    return vkey


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The three lines origin, size, root; no extension lines."""
    root = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads exactly the three lines of `format_checkpoint`.

    Raises:
        IntegrityError: LOG_CORRUPT for any other text, extension lines included.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _SIZE.match(lines[1]):
        raise _corrupt("the checkpoint is not three lines")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=_base64(lines[2]))


def format_note(note: Note) -> str:
    """Text, empty line, signature lines."""
    lines = [
        f"{_SIGNATURE_PREFIX}{each.name} "
        f"{base64.b64encode(each.key_id + each.signature).decode()}\n"
        for each in note.signatures
    ]
    return f"{note.text}\n{''.join(lines)}"


def parse_note(text: str) -> Note:
    """Splits a note; nothing is verified yet.

    Raises:
        IntegrityError: LOG_CORRUPT for another form, control characters, no signature, or more
            than 100 signatures.
    """
    if len(text) > _MAX_NOTE_CHARACTERS or _CONTROL.search(text):
        raise _corrupt("the note is too long or holds control characters")
    body, separator, tail = text.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise _corrupt("the note has no signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _corrupt("the note has too many signatures")
    return Note(text=f"{body}\n", signatures=tuple(_signature(line) for line in lines))


def open_note(text: str, vkey: Vkey, verify: Verify) -> str:
    """The text of a note that the key signed.

    Signatures of other keys are ignored; a wrong one under the key's name and id refuses the note.

    Args:
        text: the note.
        vkey: the key that must have signed it.
        verify: `verify(public_key, signature, message) -> bool` for Ed25519 (RFC 8032).

    Raises:
        IntegrityError: LOG_CORRUPT when the note is malformed, not signed by the key, or wrongly.
    """
    note = parse_note(text)
    own = [s for s in note.signatures if (s.name, s.key_id) == (vkey.name, vkey.key_id)]
    if not own:
        raise _corrupt("the note is not signed by the key")
    message = note.text.encode()
    if not all(verify(vkey.public_key, each.signature, message) for each in own):
        raise _corrupt("the signature is wrong")
    return note.text


def open_checkpoint(note: str, vkey: Vkey, verify: Verify) -> Checkpoint:
    """The checkpoint of a note that the log's key signed; its origin must be the key's name.

    Raises:
        IntegrityError: LOG_CORRUPT as `open_note` and `parse_checkpoint`, or for another origin.
    """
    checkpoint = parse_checkpoint(open_note(note, vkey, verify))
    if checkpoint.origin != vkey.name:
        raise _corrupt("the checkpoint is of another log")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, vkey: Vkey, sign: Sign) -> str:
    """The signed note of a checkpoint.

    Args:
        checkpoint: its origin must be the key's name.
        vkey: the public half of the key that `sign` uses.
        sign: `sign(message) -> signature`, 64 bytes of Ed25519 (RFC 8032).

    Raises:
        IntegrityError: LOG_CORRUPT when origin and key name differ.
    """
    if checkpoint.origin != vkey.name:
        raise _corrupt("the checkpoint is of another log")
    text = format_checkpoint(checkpoint)
    signature = NoteSignature(name=vkey.name, key_id=vkey.key_id, signature=sign(text.encode()))
    return format_note(Note(text=text, signatures=(signature,)))


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not _is_key_name(name):
        raise _corrupt("a signature line is malformed")
    data = _base64(encoded)
    if len(data) <= _KEY_ID_BYTES:
        raise _corrupt("a signature line is malformed")
    return NoteSignature(name=name, key_id=data[:_KEY_ID_BYTES], signature=data[_KEY_ID_BYTES:])


def _is_key_name(name: str) -> bool:
    return bool(_NAME.match(name)) and not _CONTROL.search(name)


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise _corrupt("not standard base64") from None
    if base64.b64encode(data).decode() != text:
        raise _corrupt("not standard base64")
    return data


def _corrupt(problem: str) -> EmanetError:
    return error(Reason.LOG_CORRUPT, problem=problem)
