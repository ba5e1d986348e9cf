"""FileSet: the files that a DICOMDIR describes, to be read, made and changed (PS3.10 8, PS3.3 Annex F)."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.state import meta_of
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
LINKS = slice(0x00041200, 0x00041221)  # elements that writing a DICOMDIR computes anew


class FileSet(Identification):
    """A file-set: find instances by their directory records, add, move and remove them.

    ``FileSet(path)`` reads a DICOMDIR, ``FileSet()`` begins an empty file-set. Changes stay in memory until `write`
    carries all of them out, or none. `roots` are the records of the root entity, `issues` the deviations.

    Parameters
    ----------
    src
        The path of a DICOMDIR or of its folder, the DICOMDIR's bytes, a binary stream, or a data set.
    profile
        The application profile of PS3.11 whose keys new records get, "STD-GEN-CD" by default.
    include_orphans
        Add records that no link leads to, by their position.
    limits
        As for `dcmread`. With ``Limits(isolate=True)`` images are decoded for icons in worker processes.

    Raises
    ------
    DicomError
        If `src` is no DICOMDIR.
    LimitError
        If it exceeds `limits`.
    OSError
        As `dcmread` does.
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
        """The folder of the file-set; None before it is written."""
        self.UID: UID = generate_uid()
        self.roots: list[Record] = []
        self._elements = Dataset()
        self._elements.FileSetID = ""
        self._table = key_table(self.profile)
        self._issues: list[Issue] = []
        self._pending: dict[int, str | Dataset] = {}  # the sources of files to be written, by id() of the record
        self._stamp: tuple[int, ...] | None = None  # of the DICOMDIR that was read or written
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
        """An empty file-set in a folder. `add` leaves files that are in the folder already where they are."""
        file_set = cls(profile=profile, limits=limits)
        file_set.path = os.path.abspath(os.fspath(folder))
        return file_set

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
        stated_meta = meta_of(data_set)
        meta = Dataset() if stated_meta is None else stated_meta
        sop_class = meta.get("MediaStorageSOPClassUID")
        if sop_class != MediaStorageDirectoryStorage and "DirectoryRecordSequence" not in data_set:
            raise DicomError(f"this is no DICOMDIR: its SOP class is {sop_class or 'not stated'}")
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
            message = "a change of this file-set was interrupted or is under way; write() finishes or undoes it"
            self._issues.append(Issue("UNFINISHED_CHANGE", None, 0, message))

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Deviations of the DICOMDIR that was read, and of the files that were added."""
        return tuple(self._issues)

    @property
    def is_staged(self) -> bool:
        """Whether `write` has still to add or remove files."""
        return bool(self._pending) or self._stored != set(self._registry.by_file)

    # -- finding

    def __iter__(self) -> Iterator[FileInstance]:
        # A list of the present records, as instances may be removed while it is iterated.
        return iter([FileInstance(self, record) for record in active(self.roots) if record.file_id])

    def __len__(self) -> int:
        return sum(1 for record in active(self.roots) if record.file_id)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, instance: object) -> bool:
        return isinstance(instance, FileInstance) and any(instance.record is r for r in active(self.roots))

    def find(self, *, load: bool = False, **values: Any) -> list[FileInstance]:
        """Instances whose records have all these values, by keyword: ``find(PatientID="1", Modality="CT")``.

        `load`: values that the records lack are read from the files. Without values, all instances.
        """
        wanted = values.items()
        return [one for one in self if all(one.look_up(keyword, load=load) == value for keyword, value in wanted)]

    def find_values(self, keyword: str, *, load: bool = False, **values: Any) -> list[Any]:
        """The different values of `keyword` among the instances that `find` gives for `values`, in their order."""
        different: list[Any] = []
        for instance in self.find(load=load, **values):
            value = instance.look_up(keyword, load=load)
            if value is not None and value not in different:
                different.append(value)
        return different

    def instance(self, uid: str) -> FileInstance:
        """The instance with a SOP Instance UID. Raises KeyError if there is none."""
        return FileInstance(self, self._registry.by_uid[str(uid)])

    # -- checking

    def check(self, *, files: bool = True) -> tuple[Finding, ...]:
        """Find the faults of the file-set by PS3.3 Annex F and PS3.10 8; with `files`, each file is opened."""
        return check(self, files=files)

    def check_profile(self, profile: str | Profile | None = None, *, files: bool = True) -> Verdict:
        """Check the file-set against an application profile of PS3.11, its own by default."""
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
        """Add an instance. `write` copies its file into the file-set's folder, unless it is in its place already.

        An instance that the file-set has already is returned unchanged; if the file to add differs from it, `issues`
        reports that. The file-set is unchanged if this raises.

        Parameters
        ----------
        src
            The path of a DICOM file, or a data set.
        file_id
            The File ID of the file. By default a file inside the file-set's folder keeps its name if that can be a
            File ID; every other file gets a new File ID.
        invent
            Make up values that records must have and the instance lacks.
        icon
            Give the record of an image an icon: True for 64 × 64 pixels, a number for another size. By default the
            profile decides.

        Returns
        -------
        FileInstance
            The instance in the file-set.

        Raises
        ------
        DicomError
            If no record can refer to the instance; an EncodeError names missing keys.
        PixelDecodeError
            If the image can't be decoded for the icon.
        OSError
            If the file can't be read.
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
        """The records above an instance's record, from the top. New ones are not in an entity yet."""
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
        """Report an instance that has the Patient ID of a record and another Patient's Name."""
        if PATIENT_NAME not in record.keys or PATIENT_NAME not in instance.data_set:
            return
        one, other = record.keys[PATIENT_NAME], instance.data_set[PATIENT_NAME]
        same = one.raw is not None and other.raw is not None and one.raw == other.raw
        if not same and one.value != other.value:
            message = f"{instance.sop_instance_uid} has the Patient ID of {one.value}, and the name {other.value}"
            self._issues.append(Issue("PATIENT_NAME", one.tag, 0, message))

    def _compare_files(self, existing: FileInstance, source: str | Dataset, instance: Instance) -> None:
        """Report a file that has the SOP Instance UID of an instance in the file-set and differs from its file."""
        path = existing.path
        if not isinstance(source, str) or path is None or not os.path.exists(path):
            return
        if not filecmp.cmp(path, source, shallow=False):
            message = f"left out, as {path} differs and has the same SOP Instance UID, {instance.sop_instance_uid}"
            self._issues.append(Issue("DUPLICATE_INSTANCE", Tag(SOP_INSTANCE), 0, f"{source}: {message}"))

    def _put_icon(self, keys: Dataset, source: str | Dataset, instance: Instance, icon: bool | int | None) -> None:
        if icon is None:
            icon = self.profile.icon_size if instance.type == "IMAGE" else False
        if not icon or instance.type not in WITH_ICON:
            return
        # Imported here because few file-sets have icons, and they need the pixel codecs.
        from dicomcore.fileset.icon import icon_sequence

        whole = dcmread(source, limits=self._limits) if isinstance(source, str) else source
        keys.IconImageSequence = icon_sequence(whole, 64 if icon is True else icon)

    def _place_of(self, record: Record, source: str | Dataset, file_id: Any) -> tuple[tuple[str, ...], bool]:
        """The File ID of a new record, and whether the file must be written there."""
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
        """The File ID of a file inside the file-set's folder, if its relative path can be one; else None."""
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
        """Remove instances, and the records above them that become empty. `write` removes their files.

        Raises KeyError for an instance that is not in the file-set; the file-set is then unchanged.
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
        """Give an instance's file another File ID; `write` moves it. Raises DicomError if it is invalid or taken."""
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
        """Remove all instances."""
        self.remove(list(self))

    # -- writing

    def to_bytes(self) -> bytes:
        """Encode the DICOMDIR. Raises EncodeError for a key that can't be encoded."""
        return directory_bytes(Header(self.UID, self._elements), self.roots)

    def write(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        link: bool = False,
        overwrite: bool = False,
        durable: bool = True,
    ) -> None:
        """Carry out all changes: write new files, then replace the DICOMDIR, then delete removed files.

        If this is interrupted at any moment, the DICOMDIR on disk is the old one or the new one, and the files that it
        refers to exist. The next `write` clears up what a killed process left behind. Nothing on disk has
        changed if this raises.

        Parameters
        ----------
        path
            The folder. If it is not the folder of the file-set, all files are copied there.
        link
            Link files instead of copying them, where the system supports links.
        overwrite
            Replace a DICOMDIR that exists in a new folder.
        durable
            Wait until the files are on disk.

        Raises
        ------
        FileExistsError
            If a file to be written exists already.
        EncodeError
            If a key can't be encoded.
        DicomError
            If the DICOMDIR has changed since it was read.
        OSError
            If a file can't be read or written.
        """
        folder = self.path if path is None else os.path.abspath(os.fspath(path))
        if folder is None:
            raise ValueError("a new file-set has no folder yet: give write() a path")
        place = os.path.join(folder, DICOMDIR)
        recover(folder)
        if self._stamp is not None and folder == self.path:
            if self._stamp != _stamp(place):
                raise DicomError(f"{place!r} has changed since it was read: read it again")
        elif os.path.lexists(place) and not overwrite:
            raise FileExistsError(17, "exists already; overwrite=True replaces it", place)
        stays = folder == self.path
        added: list[tuple[tuple[str, ...], str | Dataset]] = []
        file_ids: set[tuple[str, ...]] = set()
        for instance in self:
            file_id = instance.record.file_id
            file_ids.add(file_id)
            source = self._pending.get(id(instance.record))
            if source is None and not stays:
                source = instance.path
            if source is not None and source != os.path.join(folder, *file_id):
                added.append((file_id, source))
        removed = sorted(self._stored - file_ids) if stays else []
        apply(Change(folder, self.to_bytes(), added, removed), link=link, durable=durable)
        self._pending.clear()
        self._stored = file_ids
        self.path, self._stamp = folder, _stamp(place)

    def copy(self, path: str | os.PathLike[str], *, link: bool = False) -> FileSet:
        """Write a copy with all changes to another folder and return it; this file-set stays unchanged."""
        import copy as shallow

        file_set = shallow.copy(self)
        file_set._pending = dict(self._pending)
        file_set.write(path, link=link)
        return FileSet(file_set.path, profile=self.profile)


def _stamp(path: str) -> tuple[int, ...] | None:
    """File facts that change when the file is replaced; None if it doesn't exist."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
