"""Presentation contexts: what is offered for a purpose, what is accepted, and what both sides then have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from dicomcore.net.exchange import Context
from dicomcore.net.items import Answer, ContextAnswer, ContextOffer, Role
from dicomcore.net.models import MODELS
from dicomcore.net.pdu import Accept, Request
from dicomcore.uids import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    uid_for_keyword,
)

__all__ = [
    "CONVERTED",
    "DEFAULT_OFFERS",
    "MOST",
    "UNCOMPRESSED",
    "VERIFICATION",
    "agreed",
    "answer",
    "offers",
    "plan",
    "with_verification",
]

VERIFICATION = "1.2.840.10008.1.1"
COMMITMENT = str(uid_for_keyword("StorageCommitmentPushModel"))
PROCEDURE_STEP = "1.2.840.10008.3.1.2.3.3"
MOST = 128  # odd numbers up to 255 (PS3.8 9.3.2.2)
UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
CONVERTED = (*UNCOMPRESSED, str(ExplicitVRBigEndian))
"""Transfer syntaxes between which a data set is converted without looking at its pixels."""

LONGEST_UID = 64
UID_TEXT = re.compile(r"[0-9]+(?:\.[0-9]+)*")

Offer = str | tuple[str, Sequence[str]]


def offers(wanted: Iterable[Offer]) -> tuple[ContextOffer, ...]:
    """Presentation contexts for SOP classes, each a UID or a UID with its transfer syntaxes.

    ValueError for more than an association can hold.
    """
    made: list[ContextOffer] = []
    for one in wanted:
        uid, syntaxes = (one, UNCOMPRESSED) if isinstance(one, str) else one
        made.append(ContextOffer(2 * len(made) + 1, str(uid), tuple(map(str, syntaxes))))
    if len(made) > MOST:
        raise ValueError(f"an association has at most {MOST} presentation contexts, not {len(made)} (PS3.8 9.3.2.2)")
    return tuple(made)


DEFAULT_OFFERS = (
    VERIFICATION,
    *(MODELS[name].find for name in ("patient", "study", "worklist", "ups")),
    *(MODELS[name].move for name in ("patient", "study")),
    COMMITMENT,
    PROCEDURE_STEP,
)
"""What an association offers if nothing is said; files to store and C-GET get associations that fit them."""


def plan(files: Iterable[tuple[str, str]]) -> list[tuple[ContextOffer, ...]]:
    """The contexts of the associations that send files, by their SOP class and transfer syntax.

    Each context has one transfer syntax, so that the peer cannot ask for a conversion of files it could take as they
    are; a SOP class has one more with the uncompressed syntaxes, for what has to be converted. SOP classes that do not
    fit into one association go into another.
    """
    syntaxes: dict[str, dict[str, None]] = {}
    for sop_class, syntax in files:
        syntaxes.setdefault(sop_class, {})[syntax] = None
    associations: list[list[Offer]] = [[]]
    for sop_class, own in syntaxes.items():
        wanted: list[Offer] = [(sop_class, (syntax,)) for syntax in own]
        wanted.append((sop_class, UNCOMPRESSED))
        for some in _portions(wanted):
            if len(associations[-1]) + len(some) > MOST:
                associations.append([])
            associations[-1] += some
    return [offers(one) for one in associations]


def with_verification(contexts: tuple[ContextOffer, ...]) -> tuple[ContextOffer, ...]:
    """One more context if there is room, so that an echo needs no other association."""
    if len(contexts) == MOST:
        return contexts
    return (*contexts, ContextOffer(2 * len(contexts) + 1, VERIFICATION, UNCOMPRESSED))


def _portions(wanted: list[Offer]) -> Iterator[list[Offer]]:
    for begin in range(0, len(wanted), MOST):
        yield wanted[begin : begin + MOST]


def answer(
    request: Request, supported: Callable[[str], Sequence[str] | None], roles: Callable[[Role], Role | None]
) -> tuple[tuple[ContextAnswer, ...], tuple[Role, ...], dict[int, Context]]:
    """What an acceptor says to the contexts of a request, the roles it takes, and the contexts it then has.

    `supported` gives the transfer syntaxes of an abstract syntax, best first, or None; an empty one stands for any.
    `roles` gives the roles that are granted of those proposed.
    """
    proposed = {offer.abstract_syntax for offer in request.contexts if is_uid(offer.abstract_syntax)}
    granted = {
        role.sop_class: given
        for role in request.user.roles
        if role.sop_class in proposed and (given := roles(role)) is not None
    }
    answers: dict[int, ContextAnswer] = {}
    contexts: dict[int, Context] = {}
    for offer in request.contexts:
        if offer.number in answers or not offer.number & 1:
            answers[offer.number] = _rejected(offer, Answer.NO_REASON)
            contexts.pop(offer.number, None)
            continue
        syntaxes = supported(offer.abstract_syntax) if is_uid(offer.abstract_syntax) else None
        if syntaxes is None:
            answers[offer.number] = _rejected(offer, Answer.ABSTRACT_SYNTAX_NOT_SUPPORTED)
            continue
        role = granted.get(offer.abstract_syntax) or roles(Role(offer.abstract_syntax, True, False))
        if role is None or not (role.scu or role.scp):
            answers[offer.number] = _rejected(offer, Answer.ABSTRACT_SYNTAX_NOT_SUPPORTED)
            continue
        chosen = _chosen(offer.transfer_syntaxes, syntaxes)
        if chosen is None:
            answers[offer.number] = _rejected(offer, Answer.TRANSFER_SYNTAXES_NOT_SUPPORTED)
            continue
        answers[offer.number] = ContextAnswer(offer.number, Answer.ACCEPTED, chosen)
        contexts[offer.number] = Context(offer.number, offer.abstract_syntax, chosen, role.scp, role.scu)
    return tuple(answers.values()), tuple(granted.values()), contexts


def is_uid(text: str) -> bool:
    """Whether a text has the characters and the length of a UID (PS3.5 9.1); what has not is never accepted."""
    return len(text) <= LONGEST_UID and UID_TEXT.fullmatch(text) is not None


def _rejected(offer: ContextOffer, result: Answer) -> ContextAnswer:
    """Its transfer syntax has no meaning (PS3.8 9.3.3.2), but some peers stumble over none."""
    return ContextAnswer(offer.number, result, next(iter(offer.transfer_syntaxes), "") or UNCOMPRESSED[1])


def _chosen(offered: Sequence[str], supported: Sequence[str]) -> str | None:
    """The first offered syntax that is supported; explicit VR little endian before implicit, as it says more."""
    usable = [uid for uid in offered if is_uid(uid) and (not supported or uid in supported)]
    if UNCOMPRESSED[0] in usable and usable[0] == UNCOMPRESSED[1]:
        return UNCOMPRESSED[0]
    return usable[0] if usable else None


def agreed(request: Request, accept: Accept) -> dict[int, Context]:
    """The contexts that a requestor has after the acceptor's answer: only what was offered counts."""
    offered = {offer.number: offer for offer in request.contexts}
    proposed = {role.sop_class for role in request.user.roles}
    roles = {role.sop_class: role for role in accept.user.roles if role.sop_class in proposed}
    contexts = {}
    for one in accept.contexts:
        offer = offered.get(one.number)
        if one.result != Answer.ACCEPTED or offer is None or one.transfer_syntax not in offer.transfer_syntaxes:
            continue
        role = roles.get(offer.abstract_syntax, Role(offer.abstract_syntax, True, False))
        contexts[one.number] = Context(one.number, offer.abstract_syntax, one.transfer_syntax, role.scu, role.scp)
    return contexts
