"""What the command line itself finds wrong, before or beside any service."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """A command cannot go on; its texts are `problem.<name>` and `problem.<name>.next`.

    Attributes:
        name: which problem.
        values: fill the texts; never personal data.
        status: 2 usage or environment, 1 the thing asked about is not so.
    """

    def __init__(self, name: str, /, *, status: int = 2, **values: object) -> None:
        self.name = name
        self.values = values
        self.status = status
        super().__init__(name)
