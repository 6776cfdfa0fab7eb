"""A run gets a folder of its own and deletes nothing that a demo has not written."""

from __future__ import annotations

import pytest

from examples.demo.folder import claim_folder
from examples.demo.houses import UnexpectedError


def test_a_second_run_beside_the_first_gets_the_next_folder(tmp_path) -> None:
    """Two demos at a time never share a folder."""
    with claim_folder(tmp_path / "demo") as first, claim_folder(tmp_path / "demo") as second:
        assert (first.name, second.name) == ("demo", "demo-2")
    with claim_folder(tmp_path / "demo") as again:
        assert again == first


def test_a_later_run_replaces_what_an_earlier_one_left(tmp_path) -> None:
    """Running again starts from nothing."""
    with claim_folder(tmp_path / "demo") as folder:
        (folder / "old").touch()
    with claim_folder(tmp_path / "demo") as folder:
        assert not (folder / "old").exists()


def test_a_folder_with_somebody_elses_files_is_left_alone(tmp_path) -> None:
    """`--var ~` must not cost anybody a home directory."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UnexpectedError, match="something else"), claim_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").exists()
