"""Work on one input of a run: read, de-identified, verified, sealed, and given its name when it is complete."""

from __future__ import annotations

import filecmp
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dicomcore._native.deid.scratch import Scratch
from dicomcore._native.write.output import Output
from dicomcore.deid.applying import Outcome, redacted
from dicomcore.deid.crosswalk import Identity, identity_of
from dicomcore.deid.names import Naming
from dicomcore.deid.newfile import NewFile
from dicomcore.deid.plan import Plan
from dicomcore.deid.sealed import Seal
from dicomcore.deid.stamps import Stamps
from dicomcore.encoding.emitting import write_file
from dicomcore.errors import DeidError, DicomError, InvalidDicomError
from dicomcore.files import make_folder, synchronise, write_all
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.writer import dcmwrite

__all__ = ["CONFLICT", "Done", "Result", "Task"]

DIRECTORY = "DICOMDIR"
IN_MEMORY = 1 << 20  # a smaller file is read, and written, at once
MOST_PARTS = 1000  # that the system takes at once
CONFLICT = "conflict"
"""Another file has the name; `Done.output` is the name that the new one has until it is settled."""


class Done(NamedTuple):
    """What became of one input, the `number`-th of the run. `result` is

    - ``written``: `output` is the new file, relative to the folder,
    - ``there``: an earlier run has written it, or another input gave the same file,
    - ``failed``: nothing was written, and `reason` says why, without a value of the input,
    - ``not DICOM``: the file is of another kind, and was passed over,
    - ``directory``: a DICOMDIR, which names what is elsewhere, and was passed over.

    `source` is the input's path, which may tell who the patient is: it belongs into no log.
    """

    number: int
    result: str
    output: str
    reason: str
    outcome: Outcome | None
    source: str


class Result(NamedTuple):
    """A Done, and what the run needs besides."""

    done: Done
    stamp: str = ""
    """Of the input, for the journal; empty if it has none."""
    old: Identity | None = None
    new: Identity | None = None


@dataclass
class Task:
    """What is done to each input of a run. Threads share it, and other processes get it pickled."""

    top: str
    plan: Plan
    naming: Naming
    stamps: Stamps
    dry_run: bool = False
    seal: Seal | None = None
    verify: bool = False
    durable: bool = False
    limits: Limits | None = None
    wants_identity: bool = False
    made: set[str] = field(default_factory=set)
    """The folders that are there."""

    def work(self, numbered: tuple[int, str]) -> Result:
        """One input."""
        number, place = numbered

        def done(result: str, output: str = "", reason: str = "", outcome: Outcome | None = None) -> Done:
            return Done(number, result, output, reason, outcome, str(place))

        if type(place) is not str and hasattr(place, "reason"):  # a Fault
            return Result(done("failed", reason=place.reason))
        if os.path.basename(place).upper() == DIRECTORY:
            return Result(done("directory"))
        try:
            return self._made(place, done)
        except (DicomError, OSError) as error:
            return Result(_failed(error, done))

    def _made(self, place: str, done: Callable[..., Done]) -> Result:
        """The new file of an input."""
        source: Any = place if type(place) is str else place.open()  # type: ignore[attr-defined]  # a Place
        data, facts = _read(place) if source is place else (None, None)
        stamp = "" if self.dry_run else self.stamps.of(place, facts)
        out, outcome, identity = redacted(source if data is None else data, self.plan, self.limits, identity=True)
        assert identity is not None
        old = identity_of(dcmread(source, limits=self.limits, force=True)) if self.wants_identity else None
        if self.dry_run:
            if self.verify:
                self._search(source, bytes(out.whole()))
            return Result(done("written", self.naming(identity, 1), outcome=outcome), "", old, identity)
        with NewFile(self.top) as new:
            _write(new.file, out)
            if self.verify:
                self._search(source, new.path)
            if self.seal is None:
                return Result(self._settled(new, identity, outcome, done), stamp, old, identity)
            with NewFile(self.top) as sealed:
                chosen = self._sealed(self.seal, source, new, sealed)
                return Result(self._settled(chosen, identity, outcome, done), stamp, old, identity)

    def _search(self, source: Any, made: str | bytes) -> None:
        from dicomcore.deid.verifying import kinds_for, verify

        kinds = kinds_for(self.plan.options)
        found = verify(made, dcmread(source, limits=self.limits), kinds=kinds, limits=self.limits)
        if len(found):
            raise DeidError(f"{len(found)} places of the output still identify the patient")

    def _sealed(self, seal: Seal, source: Any, made: NewFile, target: NewFile) -> NewFile:
        """The file with what was changed in it, encrypted; as it was if nothing was."""
        ds = dcmread(made.path, limits=self.limits)
        element = seal.element(dcmread(source, limits=self.limits, force=True), ds)
        if element is None:
            return made
        ds[element.tag] = element
        with open(target.file, "wb", closefd=False) as stream:
            dcmwrite(stream, ds, enforce_standard=False)
        return target

    def _settled(self, new: NewFile, identity: Identity, outcome: Outcome, done: Callable[..., Done]) -> Done:
        """Give the complete file its name; where another file has it, leave that to the run."""
        if self.durable:
            os.fsync(new.file)
        name = self.naming(identity, 1)
        target = os.path.join(self.top, name)
        parent = os.path.dirname(target)
        if parent not in self.made:
            make_folder(parent)
            self.made.add(parent)
        try:
            new.settle(target)
        except FileExistsError:
            if filecmp.cmp(new.path, target, shallow=False):
                return done("there", name, outcome=outcome)
            return done(CONFLICT, new.keep(), outcome=outcome)
        if self.durable:
            synchronise(parent)
        return done("written", name, outcome=outcome)


class _Scratch(threading.local):
    """Memory of a thread that a file is read into: new memory for each file takes as long as writing it."""

    def __init__(self) -> None:
        self._memory = Scratch(IN_MEMORY)

    def room(self) -> Scratch:
        """The memory; another one if something still looks at what was read before."""
        if self._memory.views:
            self._memory = Scratch(IN_MEMORY)
        return self._memory


_SCRATCH = _Scratch()


def _read(place: str) -> tuple[memoryview | None, os.stat_result | None]:
    """The bytes of a small file, which nothing changes any more, and its state; None for what is no such file."""
    if not hasattr(os, "readv"):
        return None, None
    file = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            return None, None
        if not 0 < facts.st_size < IN_MEMORY:
            return None, facts
        memory = memoryview(_SCRATCH.room())[: facts.st_size + 1]  # one more: a file that grows is no such file
        return (memory[:-1] if os.readv(file, [memory]) == facts.st_size else None), facts
    finally:
        os.close(file)


def _write(file: int, out: Output) -> None:
    """Write all of an output; a small one at once."""
    if len(out) > IN_MEMORY or not hasattr(os, "writev"):
        write_file(file, out)
        return
    parts = list(out.chunks())
    if len(parts) > MOST_PARTS or os.writev(file, parts) != len(out):
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        write_all(file, out.whole())


def _failed(error: Exception, done: Callable[..., Done]) -> Done:
    """What is said of an error: nothing that an input's value or path is in."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, InvalidDicomError) and not cause.may_be_dicom:
        return done("not DICOM")
    if isinstance(error, DeidError):
        return done("directory") if DIRECTORY in str(error) else done("failed", reason=str(error))
    if isinstance(error, OSError):
        return done("failed", reason=error.strerror or type(error).__name__)
    return done("failed", reason=type(error).__name__)
