"""How associations with a peer are asked for: its address, what is offered, who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from dicomcore.limits import Limits
from dicomcore.net.address import Address, address_of
from dicomcore.net.contexts import DEFAULT_OFFERS, Offer, offers
from dicomcore.net.items import Common, ContextOffer, Extended, Identity, Role, UserInformation
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.pdu import Request
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    import ssl

__all__ = ["Asking", "Options", "asking_for"]


class Options(TypedDict, total=False):
    """What may be said to `associate`, of either face."""

    calling: str
    called: str | None
    contexts: Iterable[Offer] | None
    tls: ssl.SSLContext | None
    identity: Identity | None
    timeouts: Timeouts
    limits: NetLimits
    reading: Limits | None
    extended: Iterable[Extended]
    common: Iterable[Common]
    roles: Iterable[Role]


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
    is_fixed: bool = False
    """Whether an association has what is wanted and nothing else."""
    extended: tuple[Extended, ...] = ()
    common: tuple[Common, ...] = ()

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
            extended=self.extended,
            common=self.common,
        )
        return Request(self.called, self.calling, tuple(contexts), user)

    def offered(self) -> tuple[ContextOffer, ...]:
        """The contexts that were wanted, or the usual ones."""
        return offers(self.wanted)


def asking_for(
    address: str | tuple[str, int],
    *,
    calling: str = "DICOMCORE",
    called: str | None = None,
    contexts: Iterable[Offer] | None = None,
    tls: ssl.SSLContext | None = None,
    identity: Identity | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    limits: NetLimits = DEFAULT_NET_LIMITS,
    reading: Limits | None = None,
    extended: Iterable[Extended] = (),
    common: Iterable[Common] = (),
    roles: Iterable[Role] = (),
) -> Asking:
    """The options of both faces' `associate` as one object; this is where they are and have their defaults."""
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
        is_fixed=contexts is not None,
        extended=tuple(extended),
        common=tuple(common),
        roles=tuple(roles),
    )
