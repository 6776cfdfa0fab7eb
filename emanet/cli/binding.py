"""Turns plain functions into commands: help texts by language, and the options that all share.

A command is a function whose first parameter is a `Session`; its other parameters are its own.
Every command gets `--json` and `--lang`; those that talk to services get `--organization`,
`--token` and `--app` too. Help texts come from `emanet.cli.wording_help` by the parameter's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import ParameterInfo

from emanet.cli.language import Lang
from emanet.cli.session import Session
from emanet.cli.wording import HELP_HEADINGS
from emanet.cli.wording_help import help_of

__all__ = ["Command", "Group", "add_commands", "group_class"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: the word on the command line.
        run: called with the session and the command's own values; returns the exit status.
        remote: whether it talks to services.
    """

    name: str
    run: Callable[..., int]
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that share a first word; an empty name puts them at the top."""

    name: str
    commands: tuple[Command, ...]


def add_commands(app: typer.Typer, groups: Iterable[Group], *, lang: Lang) -> None:
    """Adds groups of commands to an application, in the order given."""
    command_class = _CLASSES[lang][1]
    for group in groups:
        target = app
        if group.name:
            target = typer.Typer(
                name=group.name,
                help=help_of(group.name, lang=lang),
                cls=group_class(lang),
                no_args_is_help=True,
                rich_markup_mode=None,
            )
            target.callback()(_spoken(lang))
            app.add_typer(target)
        for command in group.commands:
            path = f"{group.name} {command.name}".strip()
            target.command(
                command.name,
                help=help_of(path, lang=lang),
                cls=command_class,
                no_args_is_help=False,
            )(_bound(command, path=path, lang=lang))


def group_class(lang: Lang) -> type[TyperGroup]:
    """The class of groups whose help has headings in the language."""
    return _CLASSES[lang][0]


def _spoken(lang: Lang) -> Callable[..., None]:
    """A group's own option; the language was read before help was written."""

    def read(
        spoken: Lang = typer.Option(
            lang, "--lang", show_default=False, help=help_of("lang", lang=lang)
        ),
    ) -> None:
        """Nothing is left to do."""

    return read


def _bound(command: Command, *, path: str, lang: Lang) -> Callable[..., int]:
    """The function that typer reads and calls in the place of a command's own."""
    own = tuple(inspect.signature(command.run, eval_str=True).parameters.values())[1:]
    shared = tuple(_shared_parameters(lang, remote=command.remote))
    names = {parameter.name for parameter in shared}

    def call(**values: Any) -> int:  # noqa: ANN401 (typer gives what the signature says)
        common = {name: values.pop(name) for name in tuple(values) if name in names}
        return command.run(Session(**common), **values)

    parameters = [_described(parameter, path=path, lang=lang) for parameter in (*own, *shared)]
    call.__name__ = command.run.__name__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    return call


def _described(parameter: inspect.Parameter, *, path: str, lang: Lang) -> inspect.Parameter:
    """The parameter with its help text, as a keyword."""
    kind, *details = get_args(parameter.annotation)
    described = []
    for detail in details:
        described.append(copy(detail))
        if isinstance(detail, ParameterInfo):
            described[-1].help = help_of(f"{path}.{parameter.name}", lang=lang)
            if kind == list[str]:
                described[-1].metavar = "<str>…"
    return parameter.replace(
        annotation=Annotated[kind, *described], kind=inspect.Parameter.KEYWORD_ONLY
    )


def _shared_parameters(lang: Lang, *, remote: bool) -> Iterator[inspect.Parameter]:
    if remote:
        yield _option("organization", str, "", name_shown="--organization")
        yield _option("token", str, "", name_shown="--token")
        yield _option("app", str, "cli", name_shown="--app")
    yield _option("as_json", bool, False, name_shown="--json")
    yield _option("lang", Lang, lang, name_shown="--lang")


_VARIABLES = {name: f"EMANET_{name.upper()}" for name in ("organization", "token", "app")}


def _option(name: str, kind: type, default: object, *, name_shown: str) -> inspect.Parameter:
    info = typer.Option(name_shown, envvar=_VARIABLES.get(name), show_default=name == "app")
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


class _TurkishCommand(TyperCommand):
    """A command whose help has Turkish headings; the words of the framework are English."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 (the framework's own type is private)
        return _in_turkish(super().get_help(ctx))


class _TurkishGroup(TyperGroup):
    """As `_TurkishCommand`."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 (the framework's own type is private)
        return _in_turkish(super().get_help(ctx))


_CLASSES: dict[Lang, tuple[type[TyperGroup], type[TyperCommand]]] = {
    Lang.EN: (TyperGroup, TyperCommand),
    Lang.TR: (_TurkishGroup, _TurkishCommand),
}


def _in_turkish(text: str) -> str:
    for english, turkish in HELP_HEADINGS:
        text = text.replace(english, turkish)
    return text
