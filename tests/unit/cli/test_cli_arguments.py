"""What people write on the command line is read in one way, or refused with the form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from emanet.cli.arguments import (
    iso_time,
    local_time,
    parse_case,
    parse_digest,
    parse_time,
    read_file,
    write_whole,
)
from emanet.cli.problems import CommandError


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01", "2026-11-30T21:00:00Z"),
        ("2026-12-01T09:00", "2026-12-01T06:00:00Z"),
        ("2026-12-01T09:00+00:00", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
    ],
)
def test_time_without_a_zone_is_the_time_of_turkiye(text: str, utc: str) -> None:
    moment = parse_time(text, name="as-of")
    assert moment is not None
    assert iso_time(moment) == utc


def test_no_time_is_none_and_other_forms_are_refused() -> None:
    assert parse_time("", name="as-of") is None
    for text in ("tomorrow", "01.12.2026", "2026-13-01"):
        with pytest.raises(CommandError) as caught:
            parse_time(text, name="as-of")
        assert caught.value.values["name"] == "--as-of"


def test_people_read_the_time_of_turkiye() -> None:
    assert local_time(dt.datetime(2026, 11, 30, 21, 30, tzinfo=dt.UTC)) == "2026-12-01 00:30"
    assert local_time(dt.datetime.fromtimestamp(0, dt.UTC)) == ""
    assert iso_time(dt.datetime.fromtimestamp(0, dt.UTC)) == ""


def test_case_is_kind_and_reference() -> None:
    assert parse_case("ticket/T-1/a") == ("ticket", "T-1/a")
    assert parse_case("") is None
    for text in ("ticket", "/T-1", "ticket/"):
        with pytest.raises(CommandError):
            parse_case(text)


@pytest.mark.parametrize(
    "text", ["", "00", "0" * 63, "0" * 65, "g" * 64, "0" * 32 + " " + "0" * 31]
)
def test_digest_is_sixty_four_digits(text: str) -> None:
    """A shortened digest would be easier to meet with another register."""
    assert len(parse_digest("0" * 64)) == 32
    with pytest.raises(CommandError):
        parse_digest(text)


def test_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "sheet.csv"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(CommandError):
        write_whole(target / "below", b"three")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "register.yaml"
    file.write_bytes(b"\xff\xfe")
    for path in (file, tmp_path / "none", tmp_path):
        with pytest.raises(CommandError):
            read_file(path)
