"""How associations with a peer are asked for: its address, what is offered, who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomcore.limits import Limits
from dicomcore.net.address import Address, address_of
from dicomcore.net.contexts import DEFAULT_OFFERS, Offer, offers
from dicomcore.net.items import ContextOffer, Identity, Role, UserInformation
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.pdu import Request
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    import ssl

__all__ = ["Asking", "asking_for"]


@dataclass(frozen=True, slots=True)
class Asking:
    """How associations with a peer are asked for."""

    address: Address
    called: str
    calling: str
    tls: ssl.SSLContext | None = None
    identity: Identity | None = None
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    limits: NetLimits = DEFAULT_NET_LIMITS
    reading: Limits | None = None
    wanted: tuple[Offer, ...] = DEFAULT_OFFERS
    roles: tuple[Role, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def request(self, contexts: Iterable[ContextOffer], roles: Iterable[Role] = ()) -> Request:
        """The A-ASSOCIATE-RQ for these contexts."""
        limits = self.limits
        window = (limits.invoking, limits.performing)
        given = tuple(roles) or self.roles
        user = UserInformation(
            maximum_length=limits.pdu,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            window=window if window != (1, 1) else None,
            roles=given,
            identity=self.identity,
            **self.extra,
        )
        return Request(self.called, self.calling, tuple(contexts), user)

    def offered(self) -> tuple[ContextOffer, ...]:
        """The contexts that were wanted, or the usual ones."""
        return offers(self.wanted)


def asking_for(
    address: str | tuple[str, int],
    *,
    calling: str,
    called: str | None,
    contexts: Iterable[Offer] | None,
    tls: ssl.SSLContext | None,
    identity: Identity | None,
    timeouts: Timeouts,
    limits: NetLimits,
    reading: Limits | None,
    roles: Iterable[Role] = (),
    negotiation: Mapping[str, Any],
) -> Asking:
    """The options of both faces' `associate` as one object."""
    place = address_of(address)
    title = called or place.title
    return Asking(
        address=Address(title, place.host, place.port),
        called=title or "ANY-SCP",
        calling=calling,
        tls=tls,
        identity=identity,
        timeouts=timeouts,
        limits=limits,
        reading=reading,
        wanted=DEFAULT_OFFERS if contexts is None else tuple(contexts),
        roles=tuple(roles),
        extra=negotiation,
    )
