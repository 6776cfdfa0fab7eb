"""In-memory fakes with the same rules and errors as the services (`pip install emanet[testing]`).

from emanet.testing import FakeEmanet

pytest imports this package for its plugin in every run of every project that has Emanet installed,
so what needs the extra is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emanet.testing.fake import AsyncFakeEmanet, FakeEmanet
    from emanet.testing.records import RecordedAccess

__all__ = ["AsyncFakeEmanet", "FakeEmanet", "RecordedAccess"]


def __getattr__(name: str) -> object:
    if name == "RecordedAccess":
        from emanet.testing.records import RecordedAccess

        return RecordedAccess
    if name in __all__:
        from emanet.testing import fake

        return fake.AsyncFakeEmanet if name == "AsyncFakeEmanet" else fake.FakeEmanet
    raise AttributeError(name)
