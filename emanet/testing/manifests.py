"""The two files that the fake follows: register.yaml and need_to_know.yaml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from emanet.core.errors import EmanetError, Reason, error
from emanet.register.manifest import load_manifest
from emanet.register.protection import RegisterView
from emanet.rules.compile import CompiledRules, compile_rules
from emanet.rules.loader import load_rules

__all__ = ["Manifests", "Project", "find_project", "load_manifests"]

_FIRST_VERSION = 1
_KEPT = 8


@dataclass(frozen=True, slots=True)
class Manifests:
    """One organization's register and rules, ready for decisions; shared between tests."""

    organization: str
    view: RegisterView
    rules: CompiledRules


@dataclass(frozen=True, slots=True)
class Project:
    """`[tool.emanet]` of an application's pyproject.toml.

    Attributes:
        register: path of register.yaml.
        rules: path of need_to_know.yaml.
        app: the application's name; `app` where the file does not say.
    """

    register: Path
    rules: Path
    app: str


def load_manifests(register: Path, rules: Path) -> Manifests:
    """Reads both files; a file that has not changed is not read again.

    They are taken as they stand: whether they could be approved is for `emanet inventory lint`
    and `emanet rules lint` to say.

    Raises:
        CallerError: MANIFEST_INVALID with file and line.
        StateError: CONFIG_INVALID when a file is missing or the two are of different
            organizations.
    """
    return _load(register, _stamp(register), rules, _stamp(rules))


def find_project(folder: Path) -> Project:
    """Reads `[tool.emanet]` of the nearest pyproject.toml at or above a folder.

    Raises:
        StateError: CONFIG_INVALID when there is none, or it does not name both files.
    """
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return _project(path)
    raise _unusable("no pyproject.toml with [tool.emanet] here or above")


def _project(path: Path) -> Project:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("emanet", {})
    except tomllib.TOMLDecodeError as broken:
        raise _unusable(f"{path.name} is not TOML") from broken
    unknown = sorted(set(table) - {"register", "rules", "app"})
    if unknown:
        raise _unusable(f"[tool.emanet] has no key {unknown[0]}")
    if not all(isinstance(table.get(key), str) for key in ("register", "rules")):
        raise _unusable("[tool.emanet] names register and rules, two files")
    return Project(
        register=path.parent / table["register"],
        rules=path.parent / table["rules"],
        app=str(table.get("app", "app")),
    )


@lru_cache(maxsize=_KEPT)
def _load(register: Path, _register_stamp: int, rules: Path, _rules_stamp: int) -> Manifests:
    known = load_manifest(_text(register), register.name).register
    ruleset = load_rules(_text(rules), source=rules.name)
    if ruleset.organization != known.organization.id:
        raise _unusable(f"{register.name} and {rules.name} are of different organizations")
    return Manifests(
        organization=known.organization.id,
        view=RegisterView.of(_FIRST_VERSION, known),
        rules=compile_rules(ruleset, known),
    )


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as missing:
        raise _unusable(f"{path.name} cannot be read") from missing


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as broken:
        raise _unusable(f"{path.name} cannot be read") from broken


def _unusable(problem: str) -> EmanetError:
    return error(Reason.CONFIG_INVALID, problem=problem)
