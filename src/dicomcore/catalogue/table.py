"""A catalogue over the table that `dicomcore index` writes: read only, through DuckDB."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from dicomcore.catalogue.attributes import COLUMNS, COUNTED, FOLDED, KEYS, LEVELS, SEQUENCE, SORTED, TABLES, ZONES
from dicomcore.catalogue.duckdb_dialect import DUCKDB
from dicomcore.catalogue.jobs import Jobs, State
from dicomcore.catalogue.places import FramePlaces, find_frames
from dicomcore.catalogue.protocol import Entry
from dicomcore.catalogue.reading import Reading
from dicomcore.catalogue.records import Records
from dicomcore.catalogue.schema import folded_name
from dicomcore.catalogue.zones import ZONE
from dicomcore.dictionary import dictionary_VR
from dicomcore.limits import Limits

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["TableCatalogue"]

ROWS = 4096  # fetched at a time
MEMORY = "1GB"  # of DuckDB; more goes to its file
MOST_PLACES = 4096  # instances whose frames are remembered, and members of archives
SETTINGS = (
    "TimeZone = 'UTC'",
    "enable_progress_bar = false",  # DuckDB would write it to standard output
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "python_enable_replacements = false",
    "enable_external_access = false",
    "lock_configuration = true",
)
# What tells the rows of a level apart. Two studies may have series of one UID, against PS3.5 B.2.
IDENTITIES = {
    "PATIENT": "PatientID || chr(31) || IssuerOfPatientID",
    "SERIES": "StudyInstanceUID || chr(31) || SeriesInstanceUID",
}


class TableCatalogue(Reading):
    """The instances of an index: a Parquet or Arrow file, a folder of Parquet files, or a pyarrow Table.

    The index is read once, into a temporary database; rows of files that could not be read, and further files of an
    instance, are passed over. Instances may be members of archives and objects in stores. Jobs and records are in
    memory. A context manager.

    Raises OSError or ValueError if the index cannot be opened, ModuleNotFoundError without the extra `archive`.
    """

    dialect = DUCKDB
    is_read_only = True

    def __init__(self, index: Any, *, limits: Limits | None = None) -> None:
        from dicomcore.archive.extra import needs_extra
        from dicomcore.archive.listing import open_index

        with needs_extra("duckdb"):
            import duckdb
        rows = open_index(index)
        self.limits = limits
        self._folder = tempfile.TemporaryDirectory(prefix="dicomcore-catalogue-")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._frames: dict[str, FramePlaces] = {}
        self._members: dict[str, Any] = {}
        self._state = State()
        try:
            config: Any = {"memory_limit": MEMORY, "temp_directory": self._folder.name}
            self._database = duckdb.connect(os.path.join(self._folder.name, "catalogue"), config=config)
            self._database.register("files", rows)
            self._fill({field.name: field.type for field in rows.schema})
            self._database.unregister("files")
            for setting in SETTINGS:
                self._run(f"SET {setting}")
        except BaseException:
            self.close()
            raise

    @property
    def folder(self) -> str:
        """A temporary folder for what services keep; it goes with the catalogue."""
        return self._folder.name

    # -- the tables

    def _fill(self, kinds: Mapping[str, pa.DataType]) -> None:
        """The tables of a catalogue, from the columns that the index has."""
        missing = [name for name in (KEYS[level] for level in LEVELS[1:]) if name not in kinds]
        if missing:
            raise ValueError(f"an index without the column {missing[0]} makes no catalogue")
        own = {name for names in COLUMNS.values() for name in names}
        self.lacking = frozenset({name for name in own if name not in kinds} | {SEQUENCE})
        texts = [f'{_text(name, kinds.get(name))} AS "{name}"' for level in LEVELS for name in COLUMNS[level]]
        texts.append(f"{_text('TransferSyntaxUID', kinds.get('TransferSyntaxUID'))} AS transfer_syntax")
        size = "size" if "size" in kinds else "0"
        keys = [KEYS[level] for level in LEVELS[1:]]
        self._run(
            f"CREATE TEMP TABLE chosen AS SELECT * FROM (SELECT path, {size} AS size, {', '.join(texts)} FROM files "
            f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in keys)}) "
            f"WHERE {' AND '.join(f'{name}<>{chr(39) * 2}' for name in keys)} "
            "QUALIFY row_number() OVER (PARTITION BY SOPInstanceUID ORDER BY path)=1"
        )
        self._fold()
        above = ""
        for level in LEVELS:
            self._make(level, above)
            above = level
        self._count()
        self._run("DROP TABLE chosen")
        self._several = {name for name, _ in self._columns_with_several()}

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._database.execute(sql).fetchall()

    def _fold(self) -> None:
        """A form of each name for matching."""
        self._run("CREATE TEMP TABLE folds (name TEXT PRIMARY KEY, folded TEXT)")
        for name in (name for level in LEVELS for name in FOLDED[level]):
            new = f'SELECT DISTINCT "{name}" FROM chosen WHERE "{name}" NOT IN (SELECT name FROM folds)'
            found = self._run(new)
            if found:
                import pyarrow as pa

                texts = [row[0] for row in found]
                made = pa.table({"name": texts, "folded": [folded_name(text) for text in texts]})
                self._database.register("made", made)
                self._run("INSERT INTO folds SELECT * FROM made")
                self._database.unregister("made")

    def _make(self, level: str, above: str) -> None:
        """One row of the first file of each, by the order of paths."""
        unique = IDENTITIES.get(level, KEYS[level])
        names = [f'"{name}"' for name in COLUMNS[level]]
        names += [f'(SELECT folded FROM folds WHERE name="{one}") AS "{one}_folded"' for one in FOLDED[level]]
        names += [f'{_sorted(one)} AS "{one}_sort"' for one in SORTED[level]]
        if above:
            names.append(f"{IDENTITIES.get(above, KEYS[above])} AS parent")
        if level == "IMAGE":
            names += ["path", "transfer_syntax", "size", "'' AS source", "0.0 AS arrived"]
        if level == "SERIES":
            names.append("'' AS \"RequestAttributesSequence\"")
        if level in ("SERIES", "IMAGE"):
            names.append(f'"{ZONE}" AS {ZONES[level]}')
        which = "" if level == "IMAGE" else f" QUALIFY row_number() OVER (PARTITION BY {unique} ORDER BY path)=1"
        self._run(f"CREATE TABLE {TABLES[level]} AS SELECT {unique} AS id, {', '.join(names)} FROM chosen{which}")

    def _count(self) -> None:
        """What is counted and gathered from below."""
        joined = "instances JOIN series ON instances.parent=series.id JOIN studies ON series.parent=studies.id"
        gathered = "array_to_string(list_sort(list_distinct(list({0}) FILTER ({0}<>''))), '\\')"
        for level, row, columns in (
            ("SERIES", "series.id", {"NumberOfSeriesRelatedInstances": "COUNT(*)"}),
            ("STUDY", "studies.id", {
                "NumberOfStudyRelatedSeries": "COUNT(DISTINCT series.id)", "NumberOfStudyRelatedInstances": "COUNT(*)",
                "ModalitiesInStudy": gathered.format("Modality"), "SOPClassesInStudy": gathered.format("SOPClassUID"),
            }),
            ("PATIENT", "studies.parent", {
                "NumberOfPatientRelatedStudies": "COUNT(DISTINCT studies.id)",
                "NumberOfPatientRelatedSeries": "COUNT(DISTINCT series.id)",
                "NumberOfPatientRelatedInstances": "COUNT(*)",
            }),
        ):  # fmt: skip
            made = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
            table = TABLES[level]
            self._run(f"CREATE TABLE counted AS SELECT {row} AS counted_id, {made} FROM {joined} GROUP BY {row}")
            self._run(f"CREATE TABLE both_of AS SELECT {table}.*, counted.* EXCLUDE (counted_id) FROM {table} "
                      f"JOIN counted ON {table}.id=counted.counted_id")  # fmt: skip
            self._run(f"DROP TABLE {table}")
            self._run(f"ALTER TABLE both_of RENAME TO {table}")
            self._run("DROP TABLE counted")
        assert COUNTED["IMAGE"] == ()

    def _columns_with_several(self) -> Iterator[tuple[str, bool]]:
        for level in LEVELS:
            names = [*COLUMNS[level], *(f"{name}_folded" for name in FOLDED[level])]
            names += ["ModalitiesInStudy", "SOPClassesInStudy"] if level == "STUDY" else []
            tests = ", ".join(f"bool_or(contains(\"{name}\", '\\'))" for name in names)
            (found,) = self._run(f"SELECT {tests} FROM {TABLES[level]}")
            yield from ((name, True) for name, several in zip(names, found, strict=True) if several)

    # -- reading

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        cursor: duckdb.DuckDBPyConnection = self._database.cursor()  # each has its own result
        try:
            cursor.execute(sql, list(values))
            while rows := cursor.fetchmany(ROWS):
                yield from rows
        finally:
            cursor.close()

    def _multiple(self) -> Collection[str]:
        return self._several

    def source(self, entry: Entry) -> Any:
        """What `dcmread` takes: a path, or an object with `size` and `read_at` for what lies elsewhere."""
        from dicomcore.archive.listing import is_away, stored

        path = stored(entry.path)
        if not is_away(path):
            return path
        place = self._members.get(path)
        if place is None:
            place = self._place(path)
        return place.open()

    def _place(self, path: str) -> Any:
        """A member of an archive or an object in a store. The members of an archive are listed once."""
        from dicomcore.archive.sources.place import INSIDE, Fault, shown
        from dicomcore.archive.sources.sources import Sources

        archive, inside, _ = path.partition(INSIDE)
        found = {shown(place): place for place in Sources([archive if inside else path])}
        place = found.get(path)
        if place is None or isinstance(place, Fault):
            reason = place.reason if isinstance(place, Fault) else "it is not there"
            raise OSError(f"{path}: {reason}")
        with self._lock:
            if len(self._members) + len(found) > MOST_PLACES:
                self._members.clear()
            self._members.update(list(found.items())[:MOST_PLACES])
            self._members[path] = place
        return place

    def frames(self, entry: Entry) -> FramePlaces:
        """Where the frames of an instance lie in its file; found once, and remembered."""
        found = self._frames.get(entry.sop_instance)
        if found is None:
            found = find_frames(self.source(entry), self.limits)
            with self._lock:
                if len(self._frames) >= MOST_PLACES:
                    self._frames.clear()
                self._frames[entry.sop_instance] = found
        return found

    def objects(self, sop_classes: Collection[str]) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Instances of no patient: an index has none that could be searched."""
        return iter(())

    @property
    def changed(self) -> int:
        """Nothing changes."""
        return 1

    @property
    def jobs(self) -> Jobs:
        """Jobs, which end with the process."""
        return self._state.jobs

    @property
    def records(self) -> Records:
        """Documents, which end with the process."""
        return self._state.records

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, and remove the temporary database."""
        database = getattr(self, "_database", None)
        if database is not None:
            database.close()
        self._state.close()
        self._folder.cleanup()


def _text(name: str, kind: pa.DataType | None) -> str:
    """A column of the index as the text that a file has, "" for no value."""
    if kind is None:
        return "''"
    import pyarrow as pa

    column = f'"{name}"'
    if pa.types.is_list(kind):
        inner = _value("one", kind.value_type)
        return f"COALESCE(array_to_string(list_transform({column}, lambda one: {inner}), '\\'), '')"
    return f"COALESCE({_value(column, kind)}, '')"


def _value(column: str, kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_date(kind):
        return f"strftime({column}, '%Y%m%d')"
    if pa.types.is_floating(kind):
        return f"format('{{:.10g}}', {column}::DOUBLE)"
    text = f"trim(CAST({column} AS VARCHAR))"
    return f"replace({text}, chr(0), '')" if pa.types.is_string(kind) else text


def _sorted(name: str) -> str:
    """A date or time in a form that sorts; see `matching.normal`."""
    column = f'"{name}"'
    if dictionary_VR(name) == "DA":
        plain = f"CASE WHEN length({column})=10 THEN replace({column}, '.', '') ELSE {column} END"
        return f"CASE WHEN contains({column}, '\\') THEN '' ELSE {plain} END"
    bare = f"replace({column}, ':', '')"
    return (
        f"CASE WHEN {column}='' OR contains({column}, '\\') THEN '' "
        f"ELSE substr({bare}, 1, 13) || substr('000000.000000', length({bare}) + 1) END"
    )
