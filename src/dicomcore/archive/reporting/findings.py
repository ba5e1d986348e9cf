"""Findings of a report: counts and irregularities of an index, by SQL, so that millions of rows need little memory."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.archive.failure import NOT_DICOM
from dicomcore.uids import UID

if TYPE_CHECKING:
    import duckdb

__all__ = ["Count", "Facts", "Findings", "series_to_show"]

BARS = 10  # bars of a chart; one more is for all other values
EXAMPLES = 25  # rows of a table
NAMED = 5  # paths in a list of files that are not DICOM
SAME_MM, GAP = 0.05, 1.5  # as in slices.py
OFFSET = r"byte [1-9]\d*"


class Count(NamedTuple):
    """The number of files with a value, and their size in bytes; `name` is None for files without a value."""

    name: str | None
    files: int
    size: int


class Facts(NamedTuple):
    """Sums over all rows; None if the index does not have the column."""

    files: int
    size: int | None
    patients: int | None
    studies: int | None
    series: int | None
    unreadable: int | None
    not_dicom: int | None
    deviating: int | None


class Findings:
    """Queries over an open index; they return nothing for a column that the index does not have."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self.types = {name: str(kind) for name, kind, *_ in self._rows("DESCRIBE files")}

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._database.execute(sql).fetchall()

    def has(self, *columns: str) -> bool:
        """Whether the index has all of these columns."""
        return all(column in self.types for column in columns)

    def _or_null(self, column: str, expression: str) -> str:
        return expression if self.has(column) else "NULL"

    def facts(self) -> Facts:
        """The sums over all rows."""
        expressions = [
            "count(*)",
            self._or_null("size", "coalesce(sum(size), 0)::BIGINT"),
            self._or_null("PatientID", "count(DISTINCT PatientID)"),
            self._or_null("StudyInstanceUID", "count(DISTINCT StudyInstanceUID)"),
            self._or_null("SeriesInstanceUID", "count(DISTINCT SeriesInstanceUID)"),
            self._or_null("error", f"count(error) FILTER ({self._unreadable()})"),
            self._or_null("error_kind", f"count(*) FILTER (error_kind = '{NOT_DICOM}')"),
            self._or_null("issues", "count(issues)"),
        ]
        return Facts(*self._rows(f"SELECT {', '.join(expressions)} FROM files")[0])

    def _read(self) -> str:
        """The SQL condition for rows of files that were read."""
        return "error IS NULL" if self.has("error") else "true"

    def _unreadable(self) -> str:
        """The SQL condition for rows of unreadable files; in tables of earlier versions it includes files that are not
        DICOM, as these have no column that tells."""
        other = f" AND error_kind IS DISTINCT FROM '{NOT_DICOM}'" if self.has("error_kind") else ""
        return f"error IS NOT NULL{other}"

    def counts(self, column: str) -> list[Count]:
        """The most frequent values, UIDs by their names, and at the end the sum of all others."""
        if not self.has(column):
            return []
        size = self._or_null("size", "coalesce(sum(size), 0)::BIGINT")
        grouped = (
            f"SELECT nullif(trim(\"{column}\"::VARCHAR), '') AS name, count(*) AS n, {size} AS size FROM files"
            f" WHERE {self._read()} GROUP BY 1 ORDER BY n DESC, name"
        )
        rows = self._rows(f"{grouped} LIMIT {BARS}")
        named = column.endswith("UID")
        counts = [Count(UID(name).name if named and name else name, n, bytes_ or 0) for name, n, bytes_ in rows]
        if len(rows) == BARS:
            others, n, bytes_ = self._rows(f"SELECT count(*), sum(n), sum(size) FROM ({grouped} OFFSET {BARS})")[0]
            if others:
                counts.append(Count(f"{others:,} others", int(n), int(bytes_ or 0)))
        return counts

    def years(self) -> list[tuple[int, int]]:
        """The number of files by the year of their study, including years without files."""
        if self.types.get("StudyDate") != "DATE":
            return []
        rows = self._rows(
            f"SELECT year(StudyDate) AS y, count(*) FROM files WHERE {self._read()} AND StudyDate IS NOT NULL"
            f" AND y BETWEEN 1895 AND {datetime.date.today().year + 1} GROUP BY y ORDER BY y"
        )
        by_year = dict(rows)
        return [(year, by_year.get(year, 0)) for year in range(min(by_year), max(by_year) + 1)] if by_year else []

    def sizes(self) -> list[tuple[int, int]]:
        """The number of files by the largest power of two that is not above their size in bytes."""
        if not self.has("size"):
            return []
        rows = dict(self._rows("SELECT floor(log2(size))::INT AS p, count(*) FROM files WHERE size > 0 GROUP BY p"))
        return [(power, rows.get(power, 0)) for power in range(min(rows), max(rows) + 1)] if rows else []

    def errors(self) -> list[tuple[str, int, str]]:
        """The reasons why files could not be read, without offsets, with the number of files and an example."""
        if not self.has("error"):
            return []
        # Byte 128, where the DICM prefix belongs, is kept: it is the same in every file.
        kind = f"regexp_replace(replace(error, 'byte 128 ', 'byte\u00a0128 '), '{OFFSET}', 'byte …', 'g')"
        return self._rows(
            f"SELECT replace({kind}, '\u00a0', ' ') AS k, count(*) AS n, min(path) FROM files"
            f" WHERE {self._unreadable()} GROUP BY k ORDER BY n DESC, k LIMIT {EXAMPLES}"
        )

    def others(self) -> list[str]:
        """Some files that are not DICOM, with different names."""
        if not self.has("error_kind"):
            return []
        name = r"regexp_extract(path, '[^/\\]*$')"
        rows = self._rows(
            f"SELECT min(path) FROM files WHERE error_kind = '{NOT_DICOM}' GROUP BY {name}"
            f" ORDER BY count(*) DESC, {name} LIMIT {NAMED}"
        )
        return [path for (path,) in rows]

    def deviations(self) -> list[tuple[str, int, str, str]]:
        """The codes of deviations from the standard, with the number of files, an example's text, and its path."""
        if not self.has("issues"):
            return []
        return self._rows(
            "SELECT split_part(i, ' ', 1) AS code, count(DISTINCT path) AS n,"
            " substr(arg_min(i, path), length(code) + 2), min(path)"
            " FROM (SELECT path, unnest(issues) AS i FROM files WHERE issues IS NOT NULL)"
            f" GROUP BY code ORDER BY n DESC, code LIMIT {EXAMPLES}"
        )

    def duplicates(self) -> tuple[int, int, list[tuple[str, int, int, list[str]]]]:
        """The number of SOP Instance UIDs that several files have, the number of files beyond the first of each, and
        the most frequent UIDs: UID, files, different sizes, some paths."""
        if not self.has("SOPInstanceUID"):
            return 0, 0, []
        sizes = self._or_null("size", "count(DISTINCT size)")
        grouped = (
            f"SELECT SOPInstanceUID AS uid, count(*) AS n, {sizes} AS sizes FROM files"
            f" WHERE {self._read()} AND SOPInstanceUID IS NOT NULL GROUP BY uid HAVING n > 1"
        )
        uids, extra = self._rows(f"SELECT count(*), coalesce(sum(n - 1), 0)::BIGINT FROM ({grouped})")[0]
        worst = self._rows(f"SELECT * FROM ({grouped}) ORDER BY n DESC, uid LIMIT {EXAMPLES}")
        paths: dict[str, list[str]] = {uid: [] for uid, *_ in worst}
        for uid, path in self._database.execute(
            "SELECT SOPInstanceUID, unnest(min(path, 3)) FROM files WHERE list_contains(?, SOPInstanceUID) GROUP BY 1",
            [list(paths)],
        ).fetchall():
            paths[uid].append(path)
        return uids, extra, [(uid, n, different, paths[uid]) for uid, n, different in worst]

    def geometry(self) -> tuple[dict[str, int], list[tuple[Any, ...]]]:
        """The number of series with each irregularity of their geometry, and the worst series: UID, modality,
        description, files, orientations, pixel spacings, missing slices, slices at one place."""
        if not self.has("SeriesInstanceUID", "ImagePositionPatient", "ImageOrientationPatient"):
            return {}, []
        self._database.execute(f"CREATE OR REPLACE TEMP TABLE odd AS {self._geometry_sql()}")
        sums = self._rows(
            "SELECT count(*) FILTER (missing > 0), count(*) FILTER (doubled > 0),"
            " count(*) FILTER (orientations > 1), count(*) FILTER (spacings > 1) FROM odd"
        )[0]
        names = ("missing slices", "several slices at one place", "mixed orientations", "mixed pixel spacings")
        worst = self._rows(
            "SELECT * FROM odd WHERE missing > 0 OR doubled > 0 OR orientations > 1 OR spacings > 1"
            f" ORDER BY missing > 0 DESC, spacings > 1 DESC, orientations > 1 DESC, n DESC, u LIMIT {EXAMPLES}"
        )
        return dict(zip(names, sums, strict=True)), worst

    def _geometry_sql(self) -> str:
        single = "AND coalesce(NumberOfFrames, 1) <= 1" if self.has("NumberOfFrames") else ""
        spacing = self._or_null("PixelSpacing", "[round(x, 3) for x in PixelSpacing]")
        o, p = (lambda i: f"ImageOrientationPatient[{i}]"), (lambda i: f"ImagePositionPatient[{i}]")
        normal = ((2, 6, 3, 5), (3, 4, 1, 6), (1, 5, 2, 4))
        along = " + ".join(
            f"({o(a)} * {o(b)} - {o(c)} * {o(d)}) * {p(i)}" for i, (a, b, c, d) in enumerate(normal, start=1)
        )
        return f"""
            WITH lying AS (
                SELECT SeriesInstanceUID AS u, {self._or_null("Modality", "Modality")} AS modality,
                    {self._or_null("SeriesDescription", "SeriesDescription")} AS described, {spacing} AS spacing,
                    [round(x, 2) + 0 for x in ImageOrientationPatient] AS turned, {along} AS place
                FROM files WHERE {self._read()} AND u IS NOT NULL AND len(ImageOrientationPatient) = 6
                    AND len(ImagePositionPatient) = 3 {single}),
            stepped AS (
                SELECT u, turned, place - lag(place) OVER (PARTITION BY u, turned ORDER BY place) AS gap FROM lying),
            usual AS (
                SELECT u, turned, median(gap) AS step FROM stepped WHERE gap > {SAME_MM} GROUP BY ALL),
            gaps AS (
                SELECT u, sum(CASE WHEN gap > {GAP} * step THEN least(round(gap / step) - 1, 1e6) END) AS missing,
                    count(*) FILTER (gap <= least({SAME_MM}, 0.02 * coalesce(step, 1))) AS doubled
                FROM stepped LEFT JOIN usual USING (u, turned) GROUP BY u),
            series AS (
                SELECT u, min(modality) AS modality, min(described) AS described, count(*) AS n,
                    count(DISTINCT turned) AS orientations, count(DISTINCT spacing) AS spacings FROM lying GROUP BY u)
            SELECT u, modality, described, n, orientations, spacings, coalesce(missing, 0)::BIGINT AS missing, doubled
            FROM series JOIN gaps USING (u)"""


def series_to_show(findings: Findings, most: int) -> list[tuple[int, list[dict[str, Any]]]]:
    """At most `most` series to show, some of every modality: the number of files, and the rows of up to three files in
    the middle."""
    if not findings.has("Rows", "SeriesInstanceUID") or most < 1:
        return []
    columns = {
        name: name if findings.has(name) else "NULL" for name in ("Modality", "SeriesDescription", "InstanceNumber")
    }
    rows = findings._rows(
        f"""WITH images AS (
                SELECT SeriesInstanceUID AS u, path, {columns["Modality"]} AS m, {columns["SeriesDescription"]} AS d,
                    {columns["InstanceNumber"]} AS i FROM files
                WHERE {findings._read()} AND "Rows" IS NOT NULL AND u IS NOT NULL),
            chosen AS (
                SELECT u, count(*) AS n, row_number() OVER (PARTITION BY min(m) ORDER BY n DESC, u) AS turn
                FROM images GROUP BY u ORDER BY turn, n DESC, u LIMIT {int(most)}),
            placed AS (
                SELECT images.*, n, turn, abs(row_number() OVER (PARTITION BY u ORDER BY i NULLS LAST, path)
                    - 1 - n // 2) AS away FROM images JOIN chosen USING (u))
            SELECT u, n, path, m, d FROM placed WHERE away <= 1 ORDER BY m NULLS LAST, n DESC, u, away, path"""
    )
    series: dict[str, tuple[int, list[dict[str, Any]]]] = {}
    for u, n, path, modality, described in rows:
        series.setdefault(u, (n, []))[1].append({"path": path, "Modality": modality, "SeriesDescription": described})
    return list(series.values())
