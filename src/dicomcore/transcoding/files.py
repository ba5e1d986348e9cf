"""transcode: write a DICOM file in another transfer syntax."""

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
from dicomcore.transcoding.job import Job, Options
from dicomcore.transcoding.verify import verify_file
from dicomcore.uids import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, syntax_named

__all__ = ["Transcoded", "transcode"]

CHUNK = 1 << 20
OF_WRITERS = ", or give enforce_standard=False"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcoded:
    """The result of `transcode`."""

    transfer_syntax: UID
    how: Literal["rewritten", "copied", "encoded"]
    """Only the data set encoded anew, the codestreams copied, or the pixel data encoded anew."""
    frames: int
    lossless: bool
    """Whether this step lost nothing; losses of the source's own compression don't count."""
    ratio: float | None
    """The size of the uncompressed pixel data divided by the size written; None if nothing was encoded."""
    sop_instance_uid: str | None
    verified: bool
    largest_error: float | None = None
    """If verified, the largest error of a sample, 0 if nothing was lost; of luminance samples for colour in JPEG."""
    rms_error: float | None = None
    """If verified, the root mean square error of the worst frame; of means of 8 × 8 pixels for colour in JPEG XL."""
    largest_limit: float | None = None
    """The limit for `largest_error`; None if the encoder has none."""
    rms_limit: float | None = None
    """The limit for `rms_error`; None if the encoder has none."""
    damage: tuple[str, ...] = ()
    """A sentence for each missing part of the source. In encoded frames zeros, or samples that the decoder made up,
    replace it. Pixel data that was only rewritten, and other elements, stay as short as they were."""
    issues: tuple[Issue, ...] = ()
    """Deviations of the source and its frames, as far as they were read."""


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
    """Write `src`, a data set or any source of `dcmread`, to `target` in the transfer syntax `to`.

    Frames are decoded and encoded one by one on several threads, and only a few are in memory at once. Codestreams that
    are valid in the target syntax, and uncompressed pixel data that stays uncompressed, are copied. Photometric
    Interpretation, bits, offset tables, overlays in unused bits and the history of lossy compression are updated. Icons
    in the old syntax are uncompressed, others stay. `target` is unchanged if this raises.

    Parameters
    ----------
    target
        A path, a binary stream or a bytearray. A file at the path is replaced only by a complete one.
    to
        A UID, a keyword or a short name such as "jpeg-lossless" (`dicomcore.uids.NAMES`).
    quality
        The quality of a lossy syntax, see `dicomcore.pixels.coding.encoders`. Other syntaxes refuse it.
    frames
        The frames to write, counted from 0; all by default.
    verify
        Read the new file and compare its samples with those of the source, before `target` changes. They must be equal
        after lossless encoding, and else within the encoder's limit for `quality`. The result has the error and the
        limit.
    new_instance
        Whether the file is a new instance, with a new SOP Instance UID, Image Type DERIVED, a description and a
        reference to its source. By default it is if it is compressed lossily, has only some of the frames, or is
        damaged.
    offset_table
        "basic", "extended" or "none". By default "basic", or "extended" if 32 bits don't suffice for the offsets.
    workers
        The number of threads, by default that of the CPUs.
    force, limits
        As for `dcmread`; ``Limits(isolate=True)`` decodes in worker processes.
    overwrite, durable
        As for `dcmwrite`.
    damaged
        The treatment of a source whose pixel data is cut short or lacks frames. "refuse" raises PixelDecodeError, as
        the damage would not show in the new file. "keep" writes the frames as far as they are there, replaces the rest
        by zeros or by samples that the decoder makes up, and reports that in the result and in the file's Derivation
        Description. Pixel data that is only rewritten, uncompressed or in the same syntax, stays as short as it was:
        the result reports that, and `verify` refuses it.

    Returns
    -------
    Transcoded
        How the file was written, its instance, its losses and its damage.

    Raises
    ------
    EncodeError
        If the target syntax can't hold the pixel data (the message names syntaxes that can), or verification fails.
    PixelDecodeError
        If the pixel data can't be decoded or is damaged.
    UnsupportedTransferSyntaxError
        If no encoder for the syntax is available.
    """
    syntax = syntax_named(to)
    if damaged not in ("refuse", "keep"):
        raise ValueError(f"damaged is 'refuse' or 'keep', not {damaged!r}")
    data_set = src if isinstance(src, Dataset) else dcmread(src, force=force, limits=limits)
    options = Options(syntax, quality, frames, new_instance, offset_table, workers, damaged == "keep")
    if isinstance(target, (str, os.PathLike)):
        place = os.fspath(target)
        if not overwrite and os.path.lexists(place):
            raise FileExistsError(17, "exists, and overwrite=False", place)
        if not verify and syntax != DeflatedExplicitVRLittleEndian:
            return _write(data_set, options, place, overwrite=overwrite, durable=durable)
        folder = os.path.dirname(os.path.abspath(os.path.realpath(place)))
        with tempfile.TemporaryDirectory(prefix=".dicomcore-", dir=folder) as beside:
            done, made = _transcode_into(data_set, options, beside, verify)
            dcmwrite(place, dcmread(made, limits=limits, force=force), overwrite=overwrite, durable=durable)
        return done
    with tempfile.TemporaryDirectory(prefix="dicomcore-") as beside:
        done, made = _transcode_into(data_set, options, beside, verify)
        _copy_file(made, target)
    return done


def _transcode_into(data_set: Dataset, options: Options, folder: str, verify: bool) -> tuple[Transcoded, str]:
    """Transcode into a file in `folder`; the result, and the path of the file."""
    path = os.path.join(folder, "made.dcm")
    done = _write(data_set, options, path, verify=verify, overwrite=True, durable=False)
    return done, path


@contextmanager
def _without_foreign_advice() -> Iterator[None]:
    """Remove advice from error messages that names an option of `dcmwrite` and `FrameWriter` only."""
    try:
        yield
    except EncodeError as error:
        if OF_WRITERS not in str(error):
            raise
        raise EncodeError(str(error).replace(OF_WRITERS, ""), tag=error.tag) from None


@_without_foreign_advice()
def _write(
    data_set: Dataset, options: Options, path: str, *, verify: bool = False, overwrite: bool, durable: bool
) -> Transcoded:
    syntax, job = options.syntax, None
    if not any(tag in data_set for tag in PIXEL_TAGS):
        if encoding_of(syntax).encapsulated:
            raise EncodeError(f"the data set has no pixel data, which {syntax.name} is for")
    else:
        job = Job(data_set, options)
        if verify and not options.keep:
            job.damage.refuse()
    if job is None or job.stays:
        dcmwrite(path, data_set, transfer_syntax=syntax, overwrite=overwrite, durable=durable)
    elif syntax == DeflatedExplicitVRLittleEndian:
        native = path + ".native"  # FrameWriter can't write deflated data sets
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


def _copy_file(path: str, target: Any) -> None:
    """Copy a file's bytes into a stream or to the end of a bytearray."""
    with open(path, "rb") as made:
        if isinstance(target, bytearray):
            target += made.read()
        elif hasattr(target, "write"):
            shutil.copyfileobj(made, target, CHUNK)
        else:
            raise TypeError(f"a target is a path, a bytearray or a binary stream, not {type(target).__name__}")
