"""What is asked of a peer: each operation as an object that makes requests and takes responses, without any I/O."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from dicomcore._native.net.batch import Batch
from dicomcore.dataset import Dataset
from dicomcore.encoding import decode, encode
from dicomcore.errors import DicomError, NetworkError
from dicomcore.limits import Limits
from dicomcore.net.commands import Command, Field, Kind
from dicomcore.net.commands import decode as decode_command
from dicomcore.net.contexts import CONVERTED
from dicomcore.net.exchange import Context, Message
from dicomcore.net.instances import Instance, Pages, open_instance
from dicomcore.net.statuses import Status

__all__ = ["Invocation", "Operation", "Outcome", "Query", "Response", "Retrieval", "Single", "Storing"]

MEDIUM = 0  # priority
AT_A_TIME = 64  # files that are sent in one call
PASSES = 8  # files that go by themselves after one that could not be sent in a batch
ROOM = 16 << 20  # bytes of small files that are kept while an association for them is planned
STATUS, ERROR_COMMENT = int(Field.STATUS), int(Field.ERROR_COMMENT)
NOT_SUPPORTED, PROCESSING_FAILURE = 0x0122, 0x0110
SUCCESS = Status(0)


class Response(NamedTuple):
    """A response: its status, the peer's comment, the data set that came with it (None without), and its command set.

    For C-MOVE and C-GET, `remaining`, `completed`, `failed` and `warning` count sub-operations; None where the peer
    does not say.
    """

    status: Status
    comment: str
    dataset: Dataset | None
    command: Command

    @property
    def remaining(self) -> int | None:
        """Sub-operations to come."""
        return self.command.get(Field.REMAINING)

    @property
    def completed(self) -> int | None:
        """Sub-operations done."""
        return self.command.get(Field.COMPLETED)

    @property
    def failed(self) -> int | None:
        """Sub-operations that failed."""
        return self.command.get(Field.FAILED)

    @property
    def warning(self) -> int | None:
        """Sub-operations done with a warning."""
        return self.command.get(Field.WARNING)


class Outcome(NamedTuple):
    """What became of one instance: `status` is the peer's, or this side's if it was not sent.

    `error` says why it is not a success, also for a warning.

    `path` is the file that was sent or received, None for a data set in memory.
    """

    status: Status
    path: str | None
    sop_class: str
    sop_instance: str
    error: str = ""
    transfer_syntax: str = ""


class Invocation(NamedTuple):
    """A request that an operation wants to send; `parts` is its data set, whole or in pieces, None for none."""

    context: Context
    values: dict[int, Any]
    parts: Iterable[bytes | memoryview] | bytes | memoryview | None = None
    token: Any = None


class Operation:
    """Something that is asked of a peer. Results gather in `results`; `failure` ends it with an exception."""

    wait = "response"  # the name of the timeout of its responses
    can_cancel = False
    may_wait = False  # whether `next` may have to wait, perhaps for what is done with the results
    takes_instances = False  # whether the peer sends C-STORE requests meanwhile
    is_plain = False  # whether its requests are C-STORE or C-ECHO and say what every such request says

    def __init__(self) -> None:
        self.results: deque[Any] = deque()
        self.failure: Exception | None = None
        self.is_done = False
        self.is_cancelled = False

    def next(self, contexts: Iterable[Context]) -> Invocation | None:
        """The next request, None if there is nothing to send now."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make ready what `next` will be asked for, if that takes time."""

    def answered(self, message: Message, token: Any) -> bool:
        """Take a response; whether it is the last to its request."""
        raise NotImplementedError

    def answered_plainly(self, status: int, command: memoryview, token: Any) -> None:
        """Take a response of a plain request, which says no more than a status; `command` are its bytes."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """The operation cannot go on."""
        self.failure, self.is_done = self.failure or error, True


def response_of(message: Message, limits: Limits | None = None) -> Response:
    """A response as callers see it; its data set is decoded in the context's transfer syntax."""
    command = message.command
    ds = None
    if message.failure is not None:
        raise message.failure
    if isinstance(message.data, bytes):
        ds = decode(message.data, message.context.transfer_syntax, limits=limits)
    return Response(Status(command.get(Field.STATUS, 0)), command.get(Field.ERROR_COMMENT) or "", ds, command)


def chosen(contexts: Iterable[Context], sop_class: str, *, as_scp: bool = False) -> Context:
    """The context for a SOP class, explicit VR little endian before others. NetworkError if there is none.

    Who reports an event takes a context without the role, too: many peers answer no role selection.
    """
    known = [one for one in contexts if one.abstract_syntax == sop_class]
    found = [one for one in known if (one.as_scp if as_scp else one.as_scu)] or (known if as_scp else [])
    if not found:
        from dicomcore.uids import UID

        role = "SCP" if as_scp else "SCU"
        raise NetworkError(f"the peer accepted no presentation context for {UID(sop_class).name} in the role of {role}")
    return found[0]


class Single(Operation):
    """One request and one response: C-ECHO, and the services of DIMSE-N."""

    def __init__(
        self,
        kind: Kind,
        abstract_syntax: str,
        values: dict[int, Any],
        ds: Dataset | None = None,
        *,
        as_scp: bool = False,
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        self._kind, self._abstract, self._values, self._ds = kind, abstract_syntax, values, ds
        self._as_scp, self._limits, self._sent = as_scp, limits, False
        self.is_plain = kind == Kind.C_ECHO and ds is None

    def next(self, contexts: Iterable[Context]) -> Invocation | None:
        """The request."""
        if self._sent:
            return None
        self._sent = True
        context = chosen(contexts, self._abstract, as_scp=self._as_scp)
        parts = None if self._ds is None else encode(self._ds, context.transfer_syntax)
        return Invocation(context, {Field.COMMAND: int(self._kind), **self._values}, parts)

    def answered(self, message: Message, token: Any) -> bool:
        """The response."""
        self.results.append(response_of(message, self._limits))
        self.is_done = True
        return True

    def answered_plainly(self, status: int, command: memoryview, token: Any) -> None:
        """The response."""
        self.results.append(Response(Status(status), "", None, decode_command(bytes(command))))
        self.is_done = True


class Query(Operation):
    """C-FIND: an identifier for each match. The response that ends it is in `last`."""

    can_cancel = True

    def __init__(self, sop_class: str, identifier: Dataset, *, limits: Limits | None = None) -> None:
        super().__init__()
        self.sop_class, self._identifier, self._limits, self._sent = sop_class, identifier, limits, False
        self.last: Response | None = None

    def next(self, contexts: Iterable[Context]) -> Invocation | None:
        """The request."""
        if self._sent:
            return None
        self._sent = True
        context = chosen(contexts, self.sop_class)
        values: dict[int, Any] = {
            Field.COMMAND: int(Kind.C_FIND),
            Field.AFFECTED_SOP_CLASS: self.sop_class,
            Field.PRIORITY: MEDIUM,
        }
        return Invocation(context, values, encode(self._identifier, context.transfer_syntax))

    def answered(self, message: Message, token: Any) -> bool:
        """A match, or the end."""
        response = response_of(message, self._limits)
        if response.status.category == "pending":
            if response.dataset is not None and not self.is_cancelled:
                self.results.append(response.dataset)
            return False
        self.last, self.is_done = response, True
        if response.status.category == "failure":
            comment = f" ({response.comment})" if response.comment else ""
            self.failure = NetworkError(
                f"the query failed: {response.status.text}{comment}, {int(response.status):04X}"
            )
        return True


class Retrieval(Operation):
    """C-MOVE and C-GET: a Response each time the peer counts; for C-GET, an Outcome for each instance.

    The peer says at the end what it could not send: by SOP Instance UIDs, or only how many.
    """

    can_cancel = True
    wait = "retrieve"

    def __init__(
        self, kind: Kind, sop_class: str, identifier: Dataset, *, to: str | None = None, limits: Limits | None = None
    ) -> None:
        super().__init__()
        self._kind, self.sop_class, self._identifier = kind, sop_class, identifier
        self._to, self._limits, self._sent = to, limits, False
        self.takes_instances = kind == Kind.C_GET
        self.last: Response | None = None
        self._lost: list[str] = []  # SOP Instance UIDs of what came and was not stored

    def next(self, contexts: Iterable[Context]) -> Invocation | None:
        """The request."""
        if self._sent:
            return None
        self._sent = True
        context = chosen(contexts, self.sop_class)
        values: dict[int, Any] = {
            Field.COMMAND: int(self._kind),
            Field.AFFECTED_SOP_CLASS: self.sop_class,
            Field.PRIORITY: MEDIUM,
        }
        if self._to is not None:
            values[Field.MOVE_DESTINATION] = self._to
        return Invocation(context, values, encode(self._identifier, context.transfer_syntax))

    def answered(self, message: Message, token: Any) -> bool:
        """A count, or the end."""
        response = response_of(message, self._limits)
        is_last = response.status.category != "pending"
        if is_last:
            self.last, self.is_done = response, True
        if not self.takes_instances:
            self.results.append(response)
        elif is_last:
            self.results.extend(self._unsent(response))
        return is_last

    def came(self, outcome: Outcome) -> None:
        """Take what became of an instance that the peer sent."""
        self.results.append(outcome)
        if outcome.status.category == "failure":
            self._lost.append(outcome.sop_instance)

    def _unsent(self, last: Response) -> Iterator[Outcome]:
        """What the peer counts as failed beside what came."""
        listed = last.dataset.get("FailedSOPInstanceUIDList") if last.dataset is not None else None
        uids = [str(uid) for uid in ([listed] if isinstance(listed, str) else listed or ())]
        named = [uid for uid in uids if uid not in self._lost]
        for uid in named:
            yield Outcome(Status(PROCESSING_FAILURE), None, "", uid, "the peer counts it as failed")
        unnamed = (last.failed or 0) - len(self._lost) - len(named)
        if unnamed > 0:
            error = f"the peer counts {unnamed} more as failed"
            yield Outcome(Status(PROCESSING_FAILURE), None, "", "", error)


class Storing(Operation):
    """C-STORE of many instances, an Outcome for each; those that fit no context are given to `left_over`, if any.

    `is_ready` says that the sources are there, as those in a list are, so that they can be asked for ahead of time.
    """

    wait = "store"

    def __init__(
        self,
        sources: Iterable[Any],
        *,
        transcode: str = "uncompressed",
        originator: tuple[str, int] | None = None,
        left_over: Callable[[Instance], None] | None = None,
        is_ready: bool = False,
        limits: Limits | None = None,
    ) -> None:
        super().__init__()
        self.may_wait = not (is_ready or isinstance(sources, list | tuple))
        self._sources, self._transcode, self._originator = iter(sources), transcode, originator
        self._ahead: deque[Any] = deque()  # of the sources
        self._batch: Batch | None = None
        self._offers: list[Context] = []  # of the batch
        self._passes = 0  # how many files go by themselves before another batch
        self._left_over, self._limits = left_over, limits
        self._by_class: dict[str, list[Context]] = {}
        self._outstanding = 0
        self._is_empty = False
        self._prepared: Invocation | None = None
        self._pages = Pages() if hasattr(os, "readv") else None
        self._fits = left_over is None  # whether the last instance was sent, and the next one will be
        self._room = ROOM
        self.is_plain = originator is None

    def next(self, contexts: Iterable[Context]) -> Invocation | None:
        """The request for the next instance that can be sent."""
        self._learn(contexts)
        made, self._prepared = self._prepared or self._following(), None
        if made is None:
            self._is_empty = True
            self.is_done = not self._outstanding
        else:
            self._outstanding += 1
        return made

    def _learn(self, contexts: Iterable[Context]) -> None:
        if not self._by_class:
            for one in contexts:
                if one.as_scu:
                    self._by_class.setdefault(one.abstract_syntax, []).append(one)

    def put_back(self, invocation: Invocation) -> None:
        """`next` gives this again."""
        self._prepared = invocation
        self._outstanding -= 1

    def prepare(self) -> None:
        """Read the next instance; not from a source that may have to wait for it."""
        if self.may_wait or self._prepared is not None or self._is_empty or not self._by_class:
            return
        if self._batch is None or self._passes:  # else a batch reads it
            self._prepared = self._following()

    def _following(self) -> Invocation | None:
        self._passes = max(0, self._passes - 1)
        while self._ahead or self._draw(1):
            source = self._ahead.popleft()
            made = self._invocation(source, self._by_class)
            if made is not None:
                return made
        return None

    def _draw(self, count: int) -> bool:
        """Take sources, until so many are ahead; whether any is."""
        self._ahead.extend(islice(self._sources, count - len(self._ahead)))
        return bool(self._ahead)

    def batch(self, contexts: Iterable[Context], fragment: int) -> tuple[Batch, list[Any]] | None:
        """What sends the next files together, and those files; None where they go by themselves.

        Then `sent_together` follows.
        """
        if self.may_wait or self._prepared is not None or not self._fits or self._passes:
            return None
        self._learn(contexts)
        if self._batch is None:
            self._offers = [one for some in self._by_class.values() for one in some]
            named = [(one.number, one.abstract_syntax.encode(), one.transfer_syntax.encode()) for one in self._offers]
            self._batch = Batch(named, fragment)
        self._draw(AT_A_TIME)
        return self._batch, list(self._ahead)

    def sent_together(self, sent: Sequence[tuple[int, str, int]], further: tuple[int, str] | None) -> Invocation | None:
        """Take the statuses of files that a batch has sent; the request of one more, whose response is to come."""
        take = self._ahead.popleft
        for at, instance, status in sent:
            context, made = self._offers[at], SUCCESS if status == 0 else Status(status)
            text = "" if status == 0 else made.text
            path = _path_of(take())
            self.results.append(Outcome(made, path, context.abstract_syntax, instance, text, context.transfer_syntax))
        if further is None:
            self._passes = 0 if sent else PASSES
            return None
        context = self._offers[further[0]]
        token = _path_of(take()), context.abstract_syntax, further[1], context.transfer_syntax
        self._outstanding += 1
        return Invocation(context, {}, None, token)

    def stop(self) -> None:
        """Send nothing more; what is outstanding is still answered."""
        self._sources, self._prepared, self._is_empty = iter(()), None, True
        self._ahead.clear()
        self.is_done = not self._outstanding

    def _invocation(self, source: Any, by_class: dict[str, list[Context]]) -> Invocation | None:
        try:
            is_open = isinstance(source, Instance)
            instance = source if is_open else open_instance(source, self._limits, to_send=self._fits)
        except (DicomError, OSError) as error:
            path = None if isinstance(source, Dataset) else str(source)
            self.results.append(Outcome(Status(PROCESSING_FAILURE), path, "", "", str(error)))
            return None
        context = self._context(instance, by_class.get(instance.sop_class, ()))
        self._fits = context is not None
        if context is None:
            if self._left_over is not None:
                self._left_over(self._light(instance))
            else:
                self._not_sent(instance, NOT_SUPPORTED, "the peer accepted no presentation context for it")
            return None
        try:
            parts: Any = instance.as_it_is(context.transfer_syntax, self._pages)
            if parts is None:
                parts = _ready(instance.parts(context.transfer_syntax, self._limits))
        except (DicomError, OSError) as error:
            self._not_sent(instance, PROCESSING_FAILURE, str(error))
            return None
        values: dict[int, Any] = {
            Field.COMMAND: int(Kind.C_STORE),
            Field.AFFECTED_SOP_CLASS: instance.sop_class,
            Field.AFFECTED_SOP_INSTANCE: instance.sop_instance,
            Field.PRIORITY: MEDIUM,
        }
        if self._originator is not None:
            values[Field.ORIGINATOR], values[Field.ORIGINATOR_MESSAGE_ID] = self._originator
        token = instance.path, instance.sop_class, instance.sop_instance, context.transfer_syntax
        return Invocation(context, values, parts, token)

    def _light(self, instance: Instance) -> Instance:
        """An instance that waits; its bytes are kept while there is room for them."""
        size = 0 if instance.whole is None else len(instance.whole)
        if size > self._room:
            return instance._replace(whole=None)
        self._room -= size
        return instance

    def _context(self, instance: Instance, contexts: Iterable[Context]) -> Context | None:
        """The context in the instance's own syntax, else one that it may be converted to.

        What can be left over is not converted: another association offers its own syntax.
        """
        own = instance.transfer_syntax
        others = []
        for one in contexts:
            if one.transfer_syntax == own:
                return one
            if one.transfer_syntax in CONVERTED:
                others.append(one)
        if self._transcode == "never" or not others or self._left_over is not None:
            return None
        is_free = own in CONVERTED or self._transcode == "lossless"
        return others[0] if is_free else None

    def _not_sent(self, instance: Instance, status: int, why: str) -> None:
        self.results.append(Outcome(Status(status), instance.path, instance.sop_class, instance.sop_instance, why))

    def answered(self, message: Message, token: Any) -> bool:
        """The response to one instance."""
        path, sop_class, sop_instance, syntax = token
        if message.failure is not None:
            raise message.failure
        status = Status(message.command.get(STATUS, 0))
        error = "" if status == 0 else message.command.get(ERROR_COMMENT) or status.text
        self.results.append(Outcome(status, path, sop_class, sop_instance, error, syntax))
        self._outstanding -= 1
        self.is_done = self._is_empty and not self._outstanding
        return True

    def answered_plainly(self, status: int, command: memoryview, token: Any) -> None:
        """The response to one instance."""
        path, sop_class, sop_instance, syntax = token
        made = SUCCESS if status == 0 else Status(status)
        self.results.append(Outcome(made, path, sop_class, sop_instance, "" if status == 0 else made.text, syntax))
        self._outstanding -= 1
        self.is_done = self._is_empty and not self._outstanding


def _path_of(source: Any) -> str:
    return source.source if isinstance(source, Instance) else source


def _ready(parts: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same parts, after the first is there: errors come before anything is sent."""
    first = next(parts, b"")

    def all_parts() -> Iterator[bytes | memoryview]:
        yield first
        yield from parts

    return all_parts()
