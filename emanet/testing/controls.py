"""What a fake offers beyond the SDK: cases in one line, people without log-ins, records, time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from emanet.api.access_audit.v1 import resources_pb2
from emanet.client.facade import DEFAULT_TIMEOUT_S
from emanet.client.reading import Case, ReadingScope, make_reading
from emanet.core.clock import FixedClock
from emanet.core.errors import Reason, error
from emanet.testing.manifests import find_project, load_manifests
from emanet.testing.records import RecordedAccess
from emanet.testing.services import MemoryServices

__all__ = ["DEFAULT_APP", "FakeControls"]

DEFAULT_APP = "app"


class FakeControls:
    """The test conveniences of both fakes.

    Attributes:
        app: the application's name; rules and records know it by that.
    """

    def __init__(self, services: MemoryServices, *, app: str = DEFAULT_APP) -> None:
        """Takes its place over services; several fakes may share them."""
        self._services = services
        self.app = app

    @classmethod
    def from_files(
        cls,
        register: str | Path,
        rules: str | Path,
        *,
        organization: str | None = None,
        app: str = DEFAULT_APP,
    ) -> Self:
        """A fake that follows two files.

        Args:
            register: path of register.yaml.
            rules: path of need_to_know.yaml.
            organization: refused unless it is the files' organization; None = whatever they say.
            app: the application's name.

        Raises:
            CallerError: MANIFEST_INVALID with file and line.
            StateError: CONFIG_INVALID, a file is missing or of another organization.
        """
        manifests = load_manifests(Path(register), Path(rules))
        if organization not in (None, manifests.organization):
            raise error(
                Reason.CONFIG_INVALID,
                problem=f"the files are of organization {manifests.organization}",
            )
        return cls(MemoryServices(manifests), app=app)

    @classmethod
    def from_project(cls, folder: str | Path = ".", *, app: str = "") -> Self:
        """A fake that follows `[tool.emanet]` of the pyproject.toml at or above a folder.

        Args:
            folder: where to look first.
            app: instead of the application that the file names.

        Raises:
            CallerError: MANIFEST_INVALID with file and line.
            StateError: CONFIG_INVALID, nothing there names both files, or one is missing.
        """
        project = find_project(Path(folder).absolute())
        return cls.from_files(project.register, project.rules, app=app or project.app)

    @classmethod
    def from_env(
        cls,
        *,
        organization: str,
        app: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,  # noqa: ARG003 (the facade's signature)
        language: str = "tr-TR",  # noqa: ARG003 (the facade's signature)
        environ: Mapping[str, str] | None = None,  # noqa: ARG003 (the facade's signature)
    ) -> Self:
        """In place of the real `from_env`: follows the project of the working directory.

        Raises:
            StateError: CONFIG_INVALID, as `from_project`, or it is of another organization.
        """
        project = find_project(Path.cwd())
        return cls.from_files(project.register, project.rules, organization=organization, app=app)

    @property
    def clock(self) -> FixedClock:
        """The services' time; `set` and `advance` move it, nothing else does.

        It starts now, or at the next working hour where the rules know working hours.
        """
        return self._services.clock

    @property
    def records(self) -> tuple[RecordedAccess, ...]:
        """Every access record, oldest first, denials too."""
        return self._services.audit.records

    def application(self, app: str) -> Self:
        """The same services seen by another application, for jobs and for who pushes cases."""
        return type(self)(self._services, app=app)

    def staff_token(self, *, person: str, role: str = "") -> str:
        """A token as a log-in to this application would give it, for code that takes one.

        Another application cannot present it.

        Args:
            person: person id.
            role: need-to-know role; the token gets its group. Empty = a person without groups.

        Raises:
            CallerError: INVALID_FIELD for a role that no group carries.
        """
        return self._services.issue_token(person, role, client=self.app)

    def reading(
        self,
        *,
        purpose: str,
        staff_token: str = "",
        data_subject: str = "",
        as_app: bool = False,
        case: Case | None = None,
        approver_token: str = "",
        recipient: str = "",
        session: str = "",
        host: str = "",
        connection: str = "",
        justification: str = "",
        person: str = "",
        role: str = "",
    ) -> ReadingScope:
        """States who reads and why, as the SDK does; `person` and `role` stand for a token.

        Args:
            purpose: slug of the access purpose.
            staff_token: from `staff_token`.
            data_subject: `{namespace}/{ref}` of a person on their own page.
            as_app: True for a job without a person.
            case: what the read is for.
            approver_token: another person's, from `staff_token`.
            recipient: slug of who outside receives the values; only for disclosures.
            session: the application's session.
            host: the workstation.
            connection: the connection point.
            justification: free text.
            person: person id of a member of staff, instead of a token.
            role: that person's need-to-know role.

        Raises:
            CallerError: INVALID_FIELD unless exactly one of person, staff_token, data_subject and
                as_app is given, or for a role that no group carries.
        """
        if person and not staff_token:
            staff_token = self.staff_token(person=person, role=role)
        elif person or role:
            raise error(
                Reason.INVALID_FIELD,
                violations=(("person", "give a person and a role, or a staff token"),),
            )
        return ReadingScope(
            make_reading(
                purpose=purpose,
                staff_token=staff_token,
                data_subject=data_subject,
                as_app=as_app,
                case=case,
                approver_token=approver_token,
                recipient=recipient,
                session=session,
                host=host,
                connection=connection,
                justification=justification,
            )
        )

    def put_case(
        self,
        kind: str,
        ref: str,
        *,
        subject: str = "",
        opened_by: str = "system",
        opener: str = "",
        assignee: str = "",
        team: str = "",
        opened: dt.datetime | None = None,
        closed: dt.datetime | None = None,
    ) -> Case:
        """Pushes one case as the application that owns its kind; the same ref replaces it.

        Args:
            kind: as the rules name it (`ticket`).
            ref: its reference.
            subject: whom it is about; empty = nobody in particular.
            opened_by: `customer`, `system` or a role.
            opener: person id, when a member of staff opened it.
            assignee: person id that it is assigned to.
            team: group that it is assigned to (`group:destek`).
            opened: when; None = now.
            closed: when; None while it is open.

        Returns:
            The case, for `reading(case=...)`.

        Raises:
            CallerError: INVALID_FIELD for a kind that the rules do not have, a time ahead or
                a party that is no slug; INVALID_SUBJECT.
        """
        case = resources_pb2.Case(
            ref=resources_pb2.CaseRef(kind=kind, ref=ref),
            subjects=[subject] if subject else [],
            assignees=[assignee] if assignee else [],
            teams=[team] if team else [],
            opened_by=opened_by,
            opener=opener,
        )
        case.open_time.FromDatetime(opened or self.clock.now())
        if closed is not None:
            case.close_time.FromDatetime(closed)
        self._services.put_case(case)
        return Case(kind, ref)

    def destroy_subject(self, subject: str, *, retention_class: str = "") -> str:
        """Destroys keys of a subject at once, without asking which law keeps what.

        Real services plan first: a class that a law protects stays. Here the test decides.

        Args:
            subject: `{namespace}/{ref}`.
            retention_class: slugs of its retention rules joined by `+`; empty = every class.

        Returns:
            The destruction's name; reads of the subject's values raise `DestroyedError` with it.
        """
        return self._services.destroy_subject(subject, retention_class)

    def fail_audit(self) -> AbstractContextManager[None]:
        """Within the block the access audit cannot be reached: no record, no plaintext."""
        return self._services.fail_audit()
