"""FileSet: the files that a DICOMDIR describes; read, made and changed (PS3.10 8, PS3.3 Annex F)."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.fileset.change import Change, apply, is_unfinished, recover
from dicomcore.fileset.check import Finding, Verdict, check, check_profile, check_profiles
from dicomcore.fileset.describe import (
    Instance,
    fill_in,
    key_table,
    keys_of,
    leaf_keys,
    read_instance,
    stands_at_root,
)
from dicomcore.fileset.directory import read_directory
from dicomcore.fileset.directory_bytes import Header, directory_bytes
from dicomcore.fileset.fileid import DICOMDIR, FileNames, Medium, file_id_faults, shown, to_file_id
from dicomcore.fileset.identification import Identification
from dicomcore.fileset.instance import FileInstance
from dicomcore.fileset.keys import LEAVES, LEVELS, RECORD_TYPES
from dicomcore.fileset.profiles import DEFAULT_PROFILE, Profile, profile_named
from dicomcore.fileset.records import Record, active
from dicomcore.fileset.registry import IDENTITY, Registry
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.reader import dcmread, unforced
from dicomcore.part10.special import refuse_special
from dicomcore.tags import Tag
from dicomcore.uids import UID, MediaStorageDirectoryStorage, generate_uid

__all__ = ["FileSet"]

PATIENT_NAME = 0x00100010
SOP_INSTANCE = 0x00080018
WITH_ICON = frozenset(
    kind for kind in LEAVES if any(key.keyword == "IconImageSequence" for key in RECORD_TYPES[kind].keys)
)
LINKS = slice(0x00041200, 0x00041221)  # what is made anew when a DICOMDIR is written


class FileSet(Identification):
    """A file-set: instances found by what their directory records say, added, moved and removed.

    ``FileSet(path)`` reads the DICOMDIR at `path` or in the folder `path` (bytes, a stream and a data set do too);
    ``FileSet()`` begins an empty one. Changes are held in memory until `write` carries them out as one. `profile` is
    the application profile of PS3.11 whose keys new records get, "STD-GEN-CD" by default. `include_orphans`: records
    that no link leads to are taken in.

    `roots` are the records of the root entity, `issues` what deviated when it was read or files were added. Raises
    DicomError for what is no DICOMDIR, LimitError beyond `limits`, and OSError as `dcmread` does. With
    ``Limits(isolate=True)`` what icons are made of is decoded in worker processes.
    """

    def __init__(
        self,
        src: Any = None,
        *,
        profile: str | Profile | None = None,
        include_orphans: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self.profile = profile_named(profile or DEFAULT_PROFILE)
        self.path: str | None = None
        """The folder that it stands in; None before it was written."""
        self.UID: UID = generate_uid()
        self.roots: list[Record] = []
        self._elements = Dataset()
        self._elements.FileSetID = ""
        self._table = key_table(self.profile)
        self._issues: list[Issue] = []
        self._pending: dict[int, str | Dataset] = {}  # what a record's file is made from, by id() of the record
        self._stamp: tuple[int, ...] | None = None  # of the DICOMDIR that this is or was written to
        self._limits = limits or DEFAULT_LIMITS
        if src is not None:
            self._read(src, include_orphans, self._limits)
        self._names = FileNames(self._is_taken)
        self._registry = Registry(self.roots)
        self._stored = set(self._registry.by_file)  # files that the DICOMDIR on disk refers to

    @classmethod
    def new(
        cls,
        folder: str | os.PathLike[str],
        *,
        profile: str | Profile | None = None,
        limits: Limits | None = None,
    ) -> FileSet:
        """An empty file-set in a folder: files that are in it are added where they stand, see `add`."""
        made = cls(profile=profile, limits=limits)
        made.path = os.path.abspath(os.fspath(folder))
        return made

    def _read(self, src: Any, orphans: bool, limits: Limits) -> None:
        if isinstance(src, (str, os.PathLike)):
            place = os.path.abspath(os.fspath(src))
            place = os.path.join(place, DICOMDIR) if os.path.isdir(place) else place
            refuse_special(place)
            self.path, self._stamp = os.path.dirname(place), _stamp(place)
            with unforced():
                data_set = dcmread(place, limits=limits)
        else:
            data_set = src if isinstance(src, Dataset) else dcmread(src, limits=limits)
            if data_set.filename is not None:
                place = os.path.abspath(os.fspath(data_set.filename))
                self.path, self._stamp = os.path.dirname(place), _stamp(place)
        meta = data_set.file_meta if data_set.file_meta is not None else Dataset()
        sop_class = meta.get("MediaStorageSOPClassUID")
        if sop_class != MediaStorageDirectoryStorage and "DirectoryRecordSequence" not in data_set:
            raise DicomError(f"this is no DICOMDIR: its SOP class is {sop_class or 'not said'}")
        stated = meta.get("MediaStorageSOPInstanceUID")
        if isinstance(stated, str) and stated:
            self.UID = UID(stated)
        found = read_directory(data_set, orphans=orphans, limits=limits)
        self.roots = found.roots
        self._elements = data_set.copy()
        for element in data_set[LINKS]:
            del self._elements[element.tag]
        self._issues += [*data_set.issues, *found.issues]
        if self.path is not None and is_unfinished(self.path):
            message = "a change of this file-set was broken off or is under way; write() settles it"
            self._issues.append(Issue("UNFINISHED_CHANGE", None, 0, message))

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What deviated: in the DICOMDIR as it was read, and in files as they were added."""
        return tuple(self._issues)

    @property
    def is_staged(self) -> bool:
        """Whether files are waiting for `write` to be put in place or taken away."""
        return bool(self._pending) or self._stored != set(self._registry.by_file)

    # -- finding

    def __iter__(self) -> Iterator[FileInstance]:
        # Gone through as it is now: instances may be removed meanwhile.
        return iter([FileInstance(self, record) for record in active(self.roots) if record.file_id])

    def __len__(self) -> int:
        return sum(1 for record in active(self.roots) if record.file_id)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, instance: object) -> bool:
        return isinstance(instance, FileInstance) and any(instance.record is r for r in active(self.roots))

    def find(self, *, load: bool = False, **values: Any) -> list[FileInstance]:
        """Instances whose records have all these values, by keyword: ``find(PatientID="1", Modality="CT")``.

        `load`: what the records don't say is looked up in the files. Without values, all instances.
        """
        wanted = values.items()
        return [one for one in self if all(one.look_up(keyword, load=load) == value for keyword, value in wanted)]

    def find_values(self, keyword: str, *, load: bool = False, **values: Any) -> list[Any]:
        """The different values of `keyword` among the instances that `find` gives for `values`, in their order."""
        found: list[Any] = []
        for instance in self.find(load=load, **values):
            value = instance.look_up(keyword, load=load)
            if value is not None and value not in found:
                found.append(value)
        return found

    def instance(self, uid: str) -> FileInstance:
        """The instance with a SOP Instance UID; KeyError where there is none."""
        return FileInstance(self, self._registry.by_uid[str(uid)])

    # -- judging

    def check(self, *, files: bool = True) -> tuple[Finding, ...]:
        """What is wrong with it by PS3.3 Annex F and PS3.10 8; with `files` each file is opened."""
        return check(self, files=files)

    def check_profile(self, profile: str | Profile | None = None, *, files: bool = True) -> Verdict:
        """Whether it meets an application profile of PS3.11, its own by default, and why not."""
        return check_profile(self, profile or self.profile, files=files)

    def check_profiles(self, *, files: bool = True) -> dict[str, Verdict]:
        """The verdict on every profile, by name."""
        return check_profiles(self, files=files)

    # -- adding

    def add(
        self,
        src: Any,
        *,
        file_id: str | tuple[str, ...] | None = None,
        invent: bool = False,
        icon: bool | int | None = None,
    ) -> FileInstance:
        """Add an instance: a path, or a data set. `write` puts the file in its place, unless it is there.

        `file_id`: where it is to stand; by default a file inside the file-set's folder stays where it is if its name
        can be a File ID, all else gets a new one. `invent` makes up values that records must have and the instance
        lacks. `icon`: a picture for the record of an image, of 64 × 64 pixels or so many; by default when the profile
        asks for it.
        An instance that is there already is returned as it is; where the file to be added is another, `issues` says so.

        Raises DicomError for what no record can stand for (EncodeError names keys that are missing), PixelDecodeError
        where there is no picture to be had, and OSError; nothing has changed then.
        """
        source = os.path.abspath(os.fspath(src)) if isinstance(src, (str, os.PathLike)) else src
        if not isinstance(source, (str, Dataset)):
            raise TypeError(f"an instance is added from a path or a data set, not {type(src).__name__}")
        if isinstance(source, str):
            refuse_special(source)
        instance = read_instance(source, self._table)
        known = self._registry.by_uid.get(instance.sop_instance_uid)
        if known is not None:
            self._compare_files(FileInstance(self, known), source, instance)
            return FileInstance(self, known)
        chain = self._chain(instance, invent)
        above = chain[-1] if chain else None
        number = len(self._entity(above)) + 1
        keys = keys_of(instance.type, instance.data_set, self._table, invent=invent, number=number)
        self._put_icon(keys, source, instance, icon)
        record = Record(keys, parent=above)
        place, staged = self._place_of(record, source, file_id)
        leaf_keys(keys, instance, place)
        for one in (*chain, record):
            if one is record or self._registry.level(one.parent, one.type, one.keys.get(IDENTITY[one.type])) is None:
                self._entity(one.parent).append(one)
                self._registry.enter(one)
        if staged:
            self._pending[id(record)] = source
        return FileInstance(self, record)

    def _entity(self, above: Record | None) -> list[Record]:
        return self.roots if above is None else above.children

    def _chain(self, instance: Instance, invent: bool) -> list[Record]:
        """The records above an instance's; those that there were none of are in no entity yet."""
        if stands_at_root(instance.type):
            return []
        chain: list[Record] = []
        for kind in LEVELS:
            above = chain[-1] if chain else None
            found = self._registry.level(above, kind, instance.data_set.get(IDENTITY[kind]))
            if found is None:
                number = len(self._entity(above)) + 1
                found = Record(
                    keys_of(kind, instance.data_set, self._table, invent=invent, number=number), parent=above
                )
            else:
                fill_in(found.keys, kind, instance.data_set, self._table)
                if kind == "PATIENT":
                    self._compare_names(found, instance)
            chain.append(found)
        return chain

    def _compare_names(self, record: Record, instance: Instance) -> None:
        """Say where the same Patient ID comes with another name."""
        if PATIENT_NAME not in record.keys or PATIENT_NAME not in instance.data_set:
            return
        one, other = record.keys[PATIENT_NAME], instance.data_set[PATIENT_NAME]
        same = one.raw is not None and other.raw is not None and one.raw == other.raw
        if not same and one.value != other.value:
            message = (
                f"{instance.sop_instance_uid} has the Patient ID of another, {one.value}, and the name {other.value}"
            )
            self._issues.append(Issue("PATIENT_NAME", one.tag, 0, message))

    def _compare_files(self, held: FileInstance, source: str | Dataset, instance: Instance) -> None:
        """Say where another file comes with the SOP Instance UID of one that is there."""
        path = held.path
        if not isinstance(source, str) or path is None or not os.path.exists(path):
            return
        if not filecmp.cmp(path, source, shallow=False):
            message = f"left out, as {path} is another file with its SOP Instance UID, {instance.sop_instance_uid}"
            self._issues.append(Issue("DUPLICATE_INSTANCE", Tag(SOP_INSTANCE), 0, f"{source}: {message}"))

    def _put_icon(self, keys: Dataset, source: str | Dataset, instance: Instance, icon: bool | int | None) -> None:
        if icon is None:
            icon = self.profile.icon_size if instance.type == "IMAGE" else False
        if not icon or instance.type not in WITH_ICON:
            return
        # Pixels stand above part10, and few file-sets have icons.
        from dicomcore.fileset.icon import icon_sequence

        whole = dcmread(source, limits=self._limits) if isinstance(source, str) else source
        keys.IconImageSequence = icon_sequence(whole, 64 if icon is True else icon)

    def _place_of(self, record: Record, source: str | Dataset, file_id: Any) -> tuple[tuple[str, ...], bool]:
        """The File ID of a new record, and whether the file must be put there."""
        here = self._own_place(source)
        if file_id is not None:
            place = to_file_id(file_id)
            if self._registry.is_taken(place):
                raise DicomError(f"File ID {shown(place)} is taken")
            return place, place != here
        if here is not None and here not in self._registry.by_file:
            return here, False
        return self._names.new(record), True

    def _own_place(self, source: str | Dataset) -> tuple[str, ...] | None:
        """The File ID of a file that stands inside the file-set's folder under a name that can be one."""
        if self.path is None or not isinstance(source, str):
            return None
        inside = os.path.join(self.path, "")
        if not source.startswith(inside):
            return None
        parts = tuple(source[len(inside) :].split(os.sep))
        return None if file_id_faults(parts) else parts

    def _is_taken(self, file_id: tuple[str, ...]) -> bool:
        if self._registry.is_taken(file_id):
            return True
        return self.path is not None and os.path.lexists(os.path.join(self.path, *file_id))

    # -- changing

    def remove(self, instances: FileInstance | Iterable[FileInstance]) -> None:
        """Take instances out, and records above that have nothing below them then. `write` removes their files.

        KeyError for an instance that is not in the file-set; nothing has changed then.
        """
        chosen = [instances] if isinstance(instances, FileInstance) else list(instances)
        held = {id(record) for record in active(self.roots)}
        for instance in chosen:
            if id(instance.record) not in held:
                raise KeyError(f"{instance!r} is not in the file-set")
        going = [instance.record for instance in chosen]
        while going:
            gone = {id(record) for record in going}
            parents = {id(record.parent): record.parent for record in going}
            going = []
            for above in parents.values():
                entity = self._entity(above)
                entity[:] = [record for record in entity if id(record) not in gone]
                if above is not None and not above.file_id and not any(record.in_use for record in entity):
                    going.append(above)
            for one in gone:
                self._pending.pop(one, None)
        self._registry = Registry(self.roots)

    def move(self, instance: FileInstance, file_id: str | tuple[str, ...]) -> None:
        """Give an instance's file another File ID; `write` moves it. DicomError where that is none, or is taken."""
        place, record = to_file_id(file_id), instance.record
        if place == record.file_id:
            return
        if self._is_taken(place):
            raise DicomError(f"File ID {shown(place)} is taken")
        if id(record) not in self._pending and self.path is not None:
            self._pending[id(record)] = Medium(self.path).find(record.file_id)
        record.keys.ReferencedFileID = list(place)
        self._registry = Registry(self.roots)

    def clear(self) -> None:
        """Take all instances out."""
        self.remove(list(self))

    # -- writing

    def to_bytes(self) -> bytes:
        """The DICOMDIR's bytes. Raises EncodeError for a key that can't be encoded."""
        return directory_bytes(Header(self.UID, self._elements), self.roots)

    def write(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        link: bool = False,
        overwrite: bool = False,
        durable: bool = True,
    ) -> None:
        """Carry out all changes: files in their places, then the new DICOMDIR, then removed files away.

        `path`: the folder; where it is another than the file-set's, all files are copied there. Whenever this is
        broken off, the DICOMDIR on disk is the old one or the new one and the files that it refers to are there; what
        a killed process left behind, the next `write` puts in order. `link`: files get a second name instead of being
        copied, where the system can. `overwrite`: a DICOMDIR that stands at a new path is replaced. `durable=False`
        doesn't wait for the disk.

        Raises FileExistsError for files in the way, EncodeError, DicomError where the DICOMDIR has changed since it
        was read, and OSError; nothing has changed then.
        """
        folder = self.path if path is None else os.path.abspath(os.fspath(path))
        if folder is None:
            raise ValueError("a new file-set is written to a path")
        place = os.path.join(folder, DICOMDIR)
        recover(folder)
        if self._stamp is not None and folder == self.path:
            if self._stamp != _stamp(place):
                raise DicomError(f"{place!r} has changed since it was read: read it again")
        elif os.path.lexists(place) and not overwrite:
            raise FileExistsError(17, "is there already; overwrite=True replaces it", place)
        stays = folder == self.path
        made: list[tuple[tuple[str, ...], str | Dataset]] = []
        now: set[tuple[str, ...]] = set()
        for instance in self:
            file_id = instance.record.file_id
            now.add(file_id)
            source = self._pending.get(id(instance.record))
            if source is None and not stays:
                source = instance.path
            if source is not None and source != os.path.join(folder, *file_id):
                made.append((file_id, source))
        removed = sorted(self._stored - now) if stays else []
        apply(Change(folder, self.to_bytes(), made, removed), link=link, durable=durable)
        self._pending.clear()
        self._stored = now
        self.path, self._stamp = folder, _stamp(place)

    def copy(self, path: str | os.PathLike[str], *, link: bool = False) -> FileSet:
        """Write a copy to another folder, changes included, and return it; this file-set stays as it is."""
        import copy as shallow

        made = shallow.copy(self)
        made._pending = dict(self._pending)
        made.write(path, link=link)
        return FileSet(made.path, profile=self.profile)


def _stamp(path: str) -> tuple[int, ...] | None:
    """What changes when a file is replaced."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
