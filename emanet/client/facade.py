"""What the synchronous and the asynchronous facade share: identity, language, time limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from emanet.client.channel import Credentials, Endpoints
from emanet.client.log_memory import LogMemory
from emanet.client.reading import Case, Reading, ReadingScope, make_reading
from emanet.core.clock import Clock, SystemClock
from emanet.core.names import parse_organization

__all__ = ["DEFAULT_TIMEOUT_S", "Facade"]

DEFAULT_TIMEOUT_S = 2.0
"""Default deadline of one call; a batch of 1000 takes milliseconds, a restart takes seconds."""


class Facade:
    """One organization seen by one application.

    Attributes:
        organization: the organization's slug.
    """

    def __init__(
        self,
        *,
        organization: str,
        endpoints: Endpoints,
        credentials: Credentials,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        language: str = "tr-TR",
        clock: Clock | None = None,
    ) -> None:
        """Connects nothing yet.

        Args:
            organization: the organization's slug.
            endpoints: where the services listen.
            credentials: the application's certificate.
            timeout_s: deadline of each call in seconds.
            language: of messages from the services, `tr-TR` or `en`.
            clock: gives ids their time; the system's unless a test sets it.
        """
        self.organization = parse_organization(organization)
        self._timeout_s = timeout_s
        self._language = language
        self._clock: Clock = clock or SystemClock()
        self._memory = LogMemory()
        self._connect(endpoints, credentials)

    @classmethod
    def from_env(
        cls,
        *,
        organization: str,
        app: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        language: str = "tr-TR",
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Takes endpoints from `EMANET_ENDPOINTS` and the certificate from `EMANET_CERTS_DIR`.

        Args:
            organization: the organization's slug.
            app: the application's name; its files are `<app>.pem` and `<app>.key`.
            timeout_s: deadline of each call in seconds.
            language: of messages from the services, `tr-TR` or `en`.
            environ: instead of the process's environment.

        Raises:
            StateError: CONFIG_INVALID or SECRET_UNUSABLE, with what is missing.
        """
        endpoints = Endpoints.from_env(environ)
        return cls(
            organization=organization,
            endpoints=endpoints,
            credentials=Credentials.from_env(app, endpoints=endpoints, environ=environ),
            timeout_s=timeout_s,
            language=language,
        )

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
    ) -> ReadingScope:
        """States who reads and why for a block: `with em.reading(...)` or `async with`.

        Args:
            purpose: slug of the access purpose.
            staff_token: the staff member's token, as the log-in server gave it.
            data_subject: `{namespace}/{ref}` of a person on their own page.
            as_app: True for a job without a person.
            case: what the read is for, where the purpose asks for one.
            approver_token: another person's token, where a rule asks for an approver.
            recipient: slug of who outside receives the values; only for disclosures.
            session: the application's session, at most 256 bytes.
            host: the workstation, at most 256 bytes.
            connection: the connection point, at most 256 bytes.
            justification: free text, at most 4096 bytes.

        Raises:
            CallerError: INVALID_FIELD unless exactly one of staff_token, data_subject and as_app
                is given.
            DeniedError: TOKEN_INVALID for a staff token that no header can carry.
        """
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

    def _connect(self, endpoints: Endpoints, credentials: Credentials) -> None:
        raise NotImplementedError

    def _metadata(self, reading: Reading | None = None) -> tuple[tuple[str, str], ...]:
        language = ("accept-language", self._language)
        if reading is None or not reading.staff_token:
            return (language,)
        return (language, ("authorization", f"Bearer {reading.staff_token}"))
