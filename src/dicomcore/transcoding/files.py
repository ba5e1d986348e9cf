"""transcode: a file of one transfer syntax to a file of another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from dicomcore.dataset import Dataset
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import EncodeError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.target import Target
from dicomcore.part10.writer import dcmwrite
from dicomcore.pixels.frame_writer import OffsetTable
from dicomcore.tags import PIXEL_TAGS
from dicomcore.transcoding.damage import cut_elements, issues_of
from dicomcore.transcoding.job import Job, Wishes
from dicomcore.transcoding.verify import verify_file
from dicomcore.uids import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, syntax_named

__all__ = ["Transcoded", "transcode"]

COPIED = 1 << 20
OF_WRITERS = ", or give enforce_standard=False"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcoded:
    """What was written."""

    transfer_syntax: UID
    how: Literal["rewritten", "copied", "encoded"]
    """The data set in another encoding; codestreams as they were; pixel data encoded anew."""
    frames: int
    lossless: bool
    """Nothing was lost now; what the source's own compression had lost stays lost."""
    ratio: float | None
    """Bytes of uncompressed pixel data for one that was written; None where nothing was encoded."""
    sop_instance_uid: str | None
    verified: bool
    largest_error: float | None = None
    """Verified: the most that a sample is off, 0 where nothing was lost. Of colour in JPEG, of a luminance sample."""
    rms_error: float | None = None
    """Verified: the root mean square error of the worst frame; in JPEG XL's colour, of means of 8 × 8 pixels."""
    largest_limit: float | None = None
    """What `largest_error` was held to; None where the encoder has no such limit."""
    rms_limit: float | None = None
    """What `rms_error` was held to; None where the encoder has no such limit."""
    damage: tuple[str, ...] = ()
    """What of the source was missing, a sentence each. In frames zeros, or what the decoder made up, stand for it;
    pixel data that was only rewritten, and other elements, are as short as they were."""
    issues: tuple[Issue, ...] = ()
    """What deviated in the source, its frames included, as far as it was read."""


def transcode(
    src: Any,
    target: Target,
    to: str,
    *,
    quality: float | None = None,
    frames: int | slice | Iterable[int] | None = None,
    verify: bool = False,
    new_instance: bool | None = None,
    offset_table: OffsetTable | None = None,
    workers: int | None = None,
    force: bool = False,
    limits: Limits | None = None,
    overwrite: bool = True,
    durable: bool = True,
    damaged: Literal["refuse", "keep"] = "refuse",
) -> Transcoded:
    """Write `src`, a data set or what `dcmread` takes, to `target` in the transfer syntax `to`.

    Frames are decoded and encoded one by one on several threads; never more than a few are in memory. Codestreams that
    the target takes as they are, and uncompressed pixel data that stays so, are copied. Photometric Interpretation,
    bits, offset tables, overlays in unused bits and the history of lossy compression are kept true. Icons stay, but for
    codestreams of the old syntax, which become uncompressed.

    Parameters
    ----------
    target
        A path, which is replaced only by a complete file, a binary stream or a bytearray.
    to
        A UID, a keyword or a short name such as "jpeg-lossless" (`dicomcore.uids.NAMES`).
    quality
        Of a lossy syntax, see `dicomcore.pixels.coding.encoders`; others refuse it.
    frames
        Those to write, counted from 0; all by default.
    verify
        Read what was written and compare its samples with the source's, before `target` changes. They are to be equal
        where nothing was to be lost, else as near as the encoder's limit for `quality` says; the result tells both the
        error that was found and the limit.
    new_instance
        An image that is lossily compressed, of chosen frames, or damaged is another instance by default: it gets a new
        SOP Instance UID, Image Type DERIVED, a description, and a reference to its source. True and False say whether.
    offset_table
        "basic", "extended" or "none"; by default "extended" where 32 bits don't suffice for "basic".
    workers
        How many threads, as many as there are CPUs by default.
    force, limits
        As for `dcmread`; ``Limits(isolate=True)`` decodes in worker processes.
    overwrite, durable
        As for `dcmwrite`.
    damaged
        What becomes of a source whose pixel data is cut short or lacks frames. "refuse" raises PixelDecodeError, as the
        new file would not show it. "keep" writes what is there, zeros or what the decoder makes up for the rest, and
        says so in the result and in the file's Derivation Description. Pixel data that is only rewritten, uncompressed
        or in the same syntax, is as short in the new file as it was: the result says so, and `verify` refuses it.

    Raises EncodeError where the target can't hold the pixel data, naming the syntaxes that can, or doesn't verify;
    PixelDecodeError where it can't be decoded or is damaged; UnsupportedTransferSyntaxError. `target` is then what it
    was.
    """
    syntax = syntax_named(to)
    if damaged not in ("refuse", "keep"):
        raise ValueError(f"damaged is 'refuse' or 'keep', not {damaged!r}")
    data_set = src if isinstance(src, Dataset) else dcmread(src, force=force, limits=limits)
    wishes = Wishes(syntax, quality, frames, new_instance, offset_table, workers, damaged == "keep")
    if isinstance(target, (str, os.PathLike)):
        place = os.fspath(target)
        if not overwrite and os.path.lexists(place):
            raise FileExistsError(17, "exists, and overwrite=False", place)
        if not verify and syntax != DeflatedExplicitVRLittleEndian:
            return _write(data_set, wishes, place, overwrite=overwrite, durable=durable)
        folder = os.path.dirname(os.path.abspath(os.path.realpath(place)))
        with tempfile.TemporaryDirectory(prefix=".dicomcore-", dir=folder) as beside:
            done, made = _made(data_set, wishes, beside, verify)
            dcmwrite(place, dcmread(made, limits=limits, force=force), overwrite=overwrite, durable=durable)
        return done
    with tempfile.TemporaryDirectory(prefix="dicomcore-") as beside:
        done, made = _made(data_set, wishes, beside, verify)
        _pour(made, target)
    return done


def _made(data_set: Dataset, wishes: Wishes, folder: str, verify: bool) -> tuple[Transcoded, str]:
    """The result in a file of `folder`."""
    path = os.path.join(folder, "made.dcm")
    done = _write(data_set, wishes, path, verify=verify, overwrite=True, durable=False)
    return done, path


@contextmanager
def _own_words() -> Iterator[None]:
    """Take out of messages what only `dcmwrite` and `FrameWriter` have an option for."""
    try:
        yield
    except EncodeError as error:
        if OF_WRITERS not in str(error):
            raise
        raise EncodeError(str(error).replace(OF_WRITERS, ""), tag=error.tag) from None


@_own_words()
def _write(
    data_set: Dataset, wishes: Wishes, path: str, *, verify: bool = False, overwrite: bool, durable: bool
) -> Transcoded:
    syntax, job = wishes.syntax, None
    if not any(tag in data_set for tag in PIXEL_TAGS):
        if encoding_of(syntax).encapsulated:
            raise EncodeError(f"the data set has no pixel data, which {syntax.name} is for")
    else:
        job = Job(data_set, wishes)
        if verify and not wishes.keep:
            job.damage.refuse()
    if job is None or job.stays:
        dcmwrite(path, data_set, transfer_syntax=syntax, overwrite=overwrite, durable=durable)
    elif syntax == DeflatedExplicitVRLittleEndian:
        native = path + ".native"  # the writer of frames knows no deflating
        job.write(native, ExplicitVRLittleEndian, durable=False)
        dcmwrite(path, dcmread(native), transfer_syntax=syntax, overwrite=overwrite, durable=durable)
        os.unlink(native)
    else:
        job.write(path, syntax, overwrite=overwrite, durable=durable)
    verified = verify_file(path, job) if verify and job is not None else None
    issues = issues_of(data_set, None if job is None else job.frames)
    return Transcoded(
        transfer_syntax=syntax,
        how="rewritten" if job is None or job.stays else "copied" if job.copies else "encoded",
        frames=0 if job is None else len(job.indices),
        lossless=job is None or job.lossless,
        ratio=None if job is None else job.ratio,
        sop_instance_uid=data_set.get("SOPInstanceUID") if job is None else job.sop_instance_uid,
        verified=verify,
        largest_error=verified and verified.loss.largest,
        rms_error=verified and verified.loss.rms,
        largest_limit=verified and verified.limit.largest,
        rms_limit=verified and verified.limit.rms,
        damage=(() if job is None else job.damage.texts) + cut_elements(issues, but_pixels=job is not None),
        issues=issues,
    )


def _pour(path: str, target: Any) -> None:
    """A file's bytes into a stream or at the end of a bytearray."""
    with open(path, "rb") as made:
        if isinstance(target, bytearray):
            target += made.read()
        elif hasattr(target, "write"):
            shutil.copyfileobj(made, target, COPIED)
        else:
            raise TypeError(f"a target is a path, a bytearray or a binary stream, not {type(target).__name__}")
