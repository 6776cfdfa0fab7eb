"""Which language the command line speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

__all__ = ["Lang", "language_of"]

# POSIX looks at them in this order (XBD section 8.2).
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_OPTION = "--lang"


class Lang(StrEnum):
    """The languages of texts for people."""

    TR = "tr"
    EN = "en"


def language_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Lang:
    """The language that `--lang` names, else the environment; English when neither says Turkish.

    Help is written before options are read, hence the look at the bare arguments.

    Args:
        arguments: of the command line, without the program's name.
        environ: the environment.
    """
    for position, argument in enumerate(arguments):
        name, separator, value = argument.partition("=")
        if name == _OPTION:
            following = value if separator else "".join(arguments[position + 1 : position + 2])
            return Lang.TR if following == Lang.TR else Lang.EN
    spoken = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    return Lang.TR if spoken.startswith("tr") else Lang.EN
