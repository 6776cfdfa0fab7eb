"""Secret files and durable replacement."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from emanet.core.errors import EmanetError, Reason
from services.runtime.files import create_file, replace_file
from services.runtime.secrets import create_secret, read_key, read_passphrase


def reason_of(call, path: Path) -> Reason:
    with pytest.raises(EmanetError) as raised:
        call(path)
    assert raised.value.metadata["secret"] == path.name
    return raised.value.reason


def test_created_secret_is_private_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "log_seed"
    create_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_key(path)) == 32
    assert len(read_passphrase(path)) == 43


def test_existing_secret_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log_seed"
    create_secret(path)
    before = path.read_bytes()
    create_secret(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 42, b"!" * 43, b"A" * 44, b"\xff" * 43])
def test_wrong_key_content_is_unusable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    create_file(path, content)
    assert reason_of(read_key, path) is Reason.SECRET_UNUSABLE


def test_short_passphrase_and_missing_file_are_unusable(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    assert reason_of(read_passphrase, path) is Reason.SECRET_UNUSABLE
    create_file(path, b"fifteen bytes..\n")
    assert reason_of(read_passphrase, path) is Reason.SECRET_UNUSABLE


@pytest.mark.parametrize(
    ("mode", "is_usable"),
    [(0o600, True), (0o400, True), (0o440, True), (0o644, False), (0o660, False), (0o601, False)],
)
def test_secret_that_others_may_touch_is_refused(
    tmp_path: Path, mode: int, is_usable: bool
) -> None:
    path = tmp_path / "key"
    create_secret(path)
    path.chmod(mode)
    if is_usable:
        read_key(path)
    else:
        assert reason_of(read_key, path) is Reason.SECRET_UNUSABLE


def test_created_file_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    create_file(path, b"one")
    with pytest.raises(FileExistsError):
        create_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert [item.name for item in tmp_path.iterdir()] == ["x"]


def test_replaced_file_is_private_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    path.chmod(0o666)
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["x"]
