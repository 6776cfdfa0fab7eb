"""Administration of keys: what their destruction does, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emanet.api.crypto.v1 import crypto_pb2, crypto_pb2_grpc, keys_pb2, keys_pb2_grpc, resources_pb2
from emanet.client.admin_session import AdminSession
from emanet.client.channel import ServiceName
from emanet.core.names import Collection, format_name

__all__ = ["KeysAdmin"]

_SERVICE = ServiceName.CRYPTO
_MAX_PAGE_SIZE = 1000


class KeysAdmin:
    """Calls of `KeyService`; every method raises EmanetError as the service answers."""

    def __init__(self, session: AdminSession) -> None:
        self._session = session
        self._crypto = session.connect(_SERVICE, crypto_pb2_grpc.CryptoServiceStub)
        self._keys = session.connect(_SERVICE, keys_pb2_grpc.KeyServiceStub)

    def service_info(self) -> crypto_pb2.GetServiceInfoResponse:
        """Version, mode, register in effect and largest log size proven to the service."""
        request = crypto_pb2.GetServiceInfoRequest(organization=self._session.organization)
        stub = self._crypto.stub()
        return self._session.send(stub.GetServiceInfo, request, service=_SERVICE)

    def destroy_subject(
        self,
        subject: str,
        *,
        ground: keys_pb2.DestructionGround.ValueType,
        retention_classes: Sequence[str] = (),
        validate_only: bool = False,
    ) -> resources_pb2.Destruction:
        """Destroys the keys of one subject by retention class, or plans it.

        Args:
            subject: `{namespace}/{ref}`.
            ground: why.
            retention_classes: which; empty = every class that the subject has keys in.
            validate_only: True to learn the plan alone.
        """
        request = keys_pb2.DestroySubjectRequest(
            organization=self._session.organization,
            subject=subject,
            retention_classes=retention_classes,
            ground=ground,
            request_id=self._session.new_request_id(),
            validate_only=validate_only,
        )
        stub = self._keys.stub()
        return self._session.send(stub.DestroySubject, request, service=_SERVICE).destruction

    def destroy_bucket(
        self, retention_class: str, bucket: str, *, validate_only: bool = False
    ) -> resources_pb2.Destruction:
        """Destroys the key of one class and month whose period has lapsed, or plans it."""
        request = keys_pb2.DestroyBucketRequest(
            organization=self._session.organization,
            retention_class=retention_class,
            bucket=bucket,
            request_id=self._session.new_request_id(),
            validate_only=validate_only,
        )
        stub = self._keys.stub()
        return self._session.send(stub.DestroyBucket, request, service=_SERVICE).destruction

    def destruction(self, destruction_id: str) -> resources_pb2.Destruction:
        """Reads a destruction by the last part of its name."""
        name = format_name(
            self._session.organization, Collection.DESTRUCTIONS.value, destruction_id
        )
        request = keys_pb2.GetDestructionRequest(name=name)
        stub = self._keys.stub()
        return self._session.send(stub.GetDestruction, request, service=_SERVICE).destruction

    def destructions(self, *, limit: int) -> Iterator[resources_pb2.Destruction]:
        """Destructions, newest first, at most `limit`."""
        request = keys_pb2.ListDestructionsRequest(
            parent=self._session.parent, page_size=min(limit, _MAX_PAGE_SIZE)
        )
        left = limit
        while True:
            stub = self._keys.stub()
            page = self._session.send(stub.ListDestructions, request, service=_SERVICE)
            yield from page.destructions[:left]
            left -= len(page.destructions)
            if left <= 0 or not page.next_page_token:
                return
            request.page_token = page.next_page_token
