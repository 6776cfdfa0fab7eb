"""Epoch files: nothing but the right passphrase and untouched bytes opens them."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emanet.core import canonical
from emanet.core.clock import FixedClock
from emanet.core.errors import DestroyedError, EmanetError, Reason
from services.runtime.epochfile import KdfCost
from services.runtime.keyring import PassphraseKeyring
from services.runtime.primitives import GcmSiv, SealBrokenError

COST = KdfCost(iterations=1, lanes=1, memory_kib=8)
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
AAD = b"row"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def ring(folder: Path, clock: FixedClock, **changes: object) -> PassphraseKeyring:
    values: dict[str, object] = {
        "folder": folder,
        "service": "crypto",
        "passphrase": b"correct horse battery staple",
        "cost": COST,
        "clock": clock,
    }
    return PassphraseKeyring(**(values | changes))  # type: ignore[arg-type]


def reason_of(keyring: PassphraseKeyring, organization: str = "cinar") -> Reason:
    with pytest.raises(EmanetError) as raised:
        keyring.active_epoch(organization)
    return raised.value.reason


def test_wrapped_key_opens_after_a_restart(tmp_path: Path, clock: FixedClock) -> None:
    first = ring(tmp_path, clock)
    assert first.create_organization("cinar") == 1
    wrapped = first.active_epoch("cinar").wrap(b"k" * 32, AAD)
    assert len(wrapped) == 12 + 32 + 16
    second = ring(tmp_path, clock)
    assert second.epoch("cinar", 1).unwrap(wrapped, AAD) == b"k" * 32
    assert second.organizations() == ("cinar",)


def test_wrapping_is_bound_to_its_aad_and_every_byte(tmp_path: Path, clock: FixedClock) -> None:
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    key = keyring.active_epoch("cinar")
    wrapped = key.wrap(b"k" * 32, AAD)
    with pytest.raises(SealBrokenError):
        key.unwrap(wrapped, b"another row")
    for index in range(len(wrapped)):
        broken = bytearray(wrapped)
        broken[index] ^= 1
        with pytest.raises(SealBrokenError):
            key.unwrap(bytes(broken), AAD)
    for length in (0, 11, 12, 27):
        with pytest.raises(SealBrokenError):
            key.unwrap(wrapped[:length], AAD)


def test_file_has_the_documented_layout(tmp_path: Path, clock: FixedClock) -> None:
    ring(tmp_path, clock).create_organization("cinar")
    path = tmp_path / "cinar.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    value = canonical.decode_object(path.read_bytes())
    assert set(value) == {"v", "organization", "service", "kdf", "epochs", "check"}
    assert value["v"] == 1
    (row,) = value["epochs"]
    assert set(row) == {"id", "state", "created", "wrapped"}
    assert (row["id"], row["state"]) == (1, "active")


def test_every_changed_byte_of_the_file_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    """A flipped bit anywhere in the file is SECRET_UNUSABLE, never a key."""
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    path = tmp_path / "cinar.json"
    good = path.read_bytes()
    for index in range(len(good)):
        broken = bytearray(good)
        broken[index] ^= 1
        path.write_bytes(bytes(broken))
        assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE, index
    for length in range(0, len(good), 7):
        path.write_bytes(good[:length])
        assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE
    path.write_bytes(good + b"\n")
    assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE


def test_destroyed_epoch_cannot_be_put_back_by_editing(tmp_path: Path, clock: FixedClock) -> None:
    """Rows of one file cannot be moved into another state or file."""
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    keyring.create_organization("mese")
    path = tmp_path / "cinar.json"
    value = json.loads(path.read_bytes())
    value["epochs"][0] = json.loads((tmp_path / "mese.json").read_bytes())["epochs"][0]
    path.write_bytes(canonical.encode(value))
    assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE
    (tmp_path / "mese.json").replace(path)
    assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE


@pytest.mark.parametrize(
    "changes", [{"passphrase": b"another passphrase, long"}, {"service": "access_audit"}]
)
def test_other_passphrase_or_service_is_refused_and_changes_nothing(
    tmp_path: Path, clock: FixedClock, changes: dict[str, object]
) -> None:
    ring(tmp_path, clock).create_organization("cinar")
    before = (tmp_path / "cinar.json").read_bytes()
    other = ring(tmp_path, clock, **changes)
    assert reason_of(other) is Reason.SECRET_UNUSABLE
    with pytest.raises(EmanetError) as raised:
        other.create_epoch("cinar")
    assert raised.value.reason is Reason.SECRET_UNUSABLE
    with pytest.raises(EmanetError) as raised:
        other.create_organization("cinar")
    assert raised.value.reason is Reason.ALREADY_INITIALISED
    assert (tmp_path / "cinar.json").read_bytes() == before


def test_missing_file_is_unusable_and_creates_none(tmp_path: Path, clock: FixedClock) -> None:
    assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE
    assert not (tmp_path / "cinar.json").exists()


def test_destroyed_epoch_opens_nothing_and_keeps_its_evidence(
    tmp_path: Path, clock: FixedClock
) -> None:
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    wrapped_before = json.loads((tmp_path / "cinar.json").read_bytes())["epochs"][0]["wrapped"]
    assert keyring.create_epoch("cinar") == 2
    clock.advance(timedelta(hours=1))
    evidence = keyring.destroy_epoch("cinar", 1)
    assert evidence.destroyed == NOW + timedelta(hours=1)
    with pytest.raises(DestroyedError):
        keyring.epoch("cinar", 1)
    assert keyring.active_epoch("cinar").epoch == 2
    assert wrapped_before.encode() not in (tmp_path / "cinar.json").read_bytes()
    clock.advance(timedelta(hours=1))
    assert keyring.destroy_epoch("cinar", 1).destroyed == evidence.destroyed
    with pytest.raises(DestroyedError):
        ring(tmp_path, clock).epoch("cinar", 1)


def test_nothing_that_a_killed_process_left_keeps_a_destroyed_epoch(
    tmp_path: Path, clock: FixedClock
) -> None:
    """A file that was written beside and never put in place holds the keys of its time."""
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    path = tmp_path / "cinar.json"
    wrapped = json.loads(path.read_bytes())["epochs"][0]["wrapped"].encode()
    keyring.create_epoch("cinar")
    path.with_name(".cinar.json.0a1b2c3d4e5f").write_bytes(path.read_bytes())
    keyring.destroy_epoch("cinar", 1)
    assert not any(wrapped in each.read_bytes() for each in tmp_path.iterdir())


def test_a_file_of_many_destructions_stays_short_and_says_the_same(
    tmp_path: Path, clock: FixedClock
) -> None:
    """The oldest destroyed epochs leave the file; they stay destroyed, and no number comes again."""
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    kept = keyring.create_epoch("cinar")  # not destroyed: it has to survive all the others
    wrapped = keyring.epoch("cinar", kept).wrap(b"k" * 32, AAD)
    keyring.destroy_epoch("cinar", 1)
    for number in range(3, 112):
        assert keyring.create_epoch("cinar") == number
        if number > 3:
            keyring.destroy_epoch("cinar", number - 1)
    listed = [row["id"] for row in json.loads((tmp_path / "cinar.json").read_bytes())["epochs"]]
    assert listed == [kept, *range(10, 112)]
    reader = ring(tmp_path, clock)
    assert reader.epoch("cinar", kept).unwrap(wrapped, AAD) == b"k" * 32
    assert reader.active_epoch("cinar").epoch == 111
    for number in (1, 5, 110):
        with pytest.raises(DestroyedError):
            reader.epoch("cinar", number)
    for number in (0, 112):
        with pytest.raises(EmanetError) as raised:
            reader.epoch("cinar", number)
        assert raised.value.reason is Reason.SECRET_UNUSABLE


def test_active_and_unknown_epochs_are_not_destroyed(tmp_path: Path, clock: FixedClock) -> None:
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    with pytest.raises(EmanetError) as raised:
        keyring.destroy_epoch("cinar", 1)
    assert raised.value.reason is Reason.VERSION_STATE
    with pytest.raises(EmanetError) as raised:
        keyring.destroy_epoch("cinar", 7)
    assert raised.value.reason is Reason.SECRET_UNUSABLE


def test_change_by_another_process_is_seen(tmp_path: Path, clock: FixedClock) -> None:
    """A replica that destroys an epoch takes it from the others too."""
    one, two = ring(tmp_path, clock), ring(tmp_path, clock)
    one.create_organization("cinar")
    assert two.epoch("cinar", 1).epoch == 1
    one.create_epoch("cinar")
    one.destroy_epoch("cinar", 1)
    assert two.active_epoch("cinar").epoch == 2
    with pytest.raises(DestroyedError):
        two.epoch("cinar", 1)


def test_epochs_folder_inside_the_databases_folder_is_refused(
    tmp_path: Path, clock: FixedClock
) -> None:
    """Backups of the database must not hold the keys that open it."""
    for folder in (tmp_path / "db", tmp_path / "db" / "epochs", tmp_path / "x" / ".." / "db"):
        with pytest.raises(EmanetError) as raised:
            ring(folder, clock, database_folder=tmp_path / "db")
        assert raised.value.reason is Reason.CONFIG_INVALID
    ring(tmp_path / "epochs", clock, database_folder=tmp_path / "db")


def test_nothing_secret_is_in_any_repr(tmp_path: Path, clock: FixedClock) -> None:
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    shown = f"{keyring!r} {keyring.active_epoch('cinar')!r}"
    assert shown == "PassphraseKeyring(service='crypto') EpochKey(epoch=1)"


def test_absurd_kdf_cost_in_a_file_is_refused_before_it_is_paid(
    tmp_path: Path, clock: FixedClock
) -> None:
    keyring = ring(tmp_path, clock)
    keyring.create_organization("cinar")
    path = tmp_path / "cinar.json"
    value = json.loads(path.read_bytes())
    value["kdf"]["memory_kib"] = 2**40
    path.write_bytes(canonical.encode(value))
    assert reason_of(ring(tmp_path, clock)) is Reason.SECRET_UNUSABLE


def test_published_epoch_file_opens(tmp_path: Path, clock: FixedClock) -> None:
    """The vector of docs/formats/keys.md, written by the second implementation."""
    vectors = Path(__file__).parents[3] / "docs" / "formats" / "vectors" / "keys.json"
    case = json.loads(vectors.read_text("utf-8"))["epoch_file"]
    value = json.loads(case["file"])
    (tmp_path / f"{value['organization']}.json").write_text(case["file"], "utf-8")
    keyring = ring(
        tmp_path, clock, passphrase=case["passphrase"].encode(), service=value["service"]
    )
    key = keyring.active_epoch(value["organization"])
    assert key.epoch == case["epoch"]
    nonce = bytes(12)
    sealed = GcmSiv(bytes.fromhex(case["epoch_key"])).seal(nonce, b"k" * 32, AAD)
    assert key.wrap(b"k" * 32, AAD, nonce=nonce) == nonce + sealed
