"""archive.query and `dicomcore query`: SQL that can access the index and nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, date, datetime

import pytest

from tests.support.corpus import PYDICOM

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq

from dicomcore.archive import index, query
from dicomcore.cli import main

WILD = {
    "path": ["a\x1b[31m.dcm", 'b,"c".dcm', "ü.dcm"],
    "day": [date(2020, 2, 29), None, date(1, 1, 1)],
    "at": pa.array([datetime(2020, 1, 1, tzinfo=UTC), None, None], pa.timestamp("us", tz="UTC")),
    "many": [["x", None], None, []],
    "real": [float("nan"), 1.5, None],
    "raw": [b"\x00\xff", None, b""],
}


@pytest.fixture(scope="module")
def real_index(tmp_path_factory):
    return index(PYDICOM / "test_files", out=tmp_path_factory.mktemp("query") / "index.parquet")


@pytest.fixture
def wild(tmp_path):
    pq.write_table(pa.table(WILD), tmp_path / "wild.parquet")
    return str(tmp_path / "wild.parquet")


def test_answers_equal_the_table(real_index):
    table = pq.read_table(real_index)
    counted = query(real_index, "SELECT Modality, count(*) AS n FROM files GROUP BY ALL")
    wanted = {one["values"]: one["counts"] for one in table["Modality"].value_counts().to_pylist()}
    assert dict(zip(*(column.to_pylist() for column in counted.columns), strict=True)) == wanted
    everything = query(real_index, "FROM files")
    assert everything.schema.field("mtime").type == table.schema.field("mtime").type
    assert everything.to_pylist() == table.to_pylist()
    assert query(table, "SELECT count(*) FROM index").column(0).to_pylist() == [len(table)]
    assert query(real_index, "SELECT year(mtime) AS y FROM files LIMIT 1")["y"][0].as_py() > 2000
    assert query(real_index, "SELECT ImageType[1] AS t FROM files WHERE ImageType[1] = 'ORIGINAL'").num_rows > 10


REFUSED = {
    "a file": ("SELECT * FROM read_text('/etc/passwd')", "disabled"),
    "a file by name": ("SELECT * FROM '/etc/passwd'", "exist"),
    "a folder": ("SELECT * FROM glob('/*')", "disabled"),
    "the network": ("SELECT * FROM read_csv('http://localhost:1/x.csv')", "disabled|[Ee]xtension"),
    "a variable of the caller": ("SELECT * FROM table", "syntax|exist"),
    "copy": ("COPY files TO 'copy.csv'", "COPY is refused"),
    "explained copy": ("EXPLAIN ANALYZE COPY files TO 'copy.csv'", "disabled"),
    "export": ("EXPORT DATABASE 'copy'", "refused"),
    "attach": ("ATTACH 'copy.db'", "refused"),
    "an extension": ("INSTALL httpfs", "refused"),
    "a setting": ("SET enable_external_access = true", "refused"),
    "a table": ("CREATE TABLE t AS FROM files", "refused"),
    "a change": ("DELETE FROM files", "refused"),
    "two statements": ("SELECT 1; SELECT 2", "one statement"),
    "nothing": (" -- nothing", "one statement"),
    "no SQL": ("SELEC 1", "syntax error"),
    "no column": ("SELECT nope FROM files", "nope"),
    "no number": ("SELECT Modality::INT FROM files", "Could not convert"),
}


@pytest.mark.parametrize(("sql", "said"), REFUSED.values(), ids=REFUSED)
def test_statements_that_do_more_than_read_the_index_are_refused(real_index, sql, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = os.stat(real_index).st_mtime_ns
    with pytest.raises(ValueError, match=said):
        query(real_index, sql)
    assert os.stat(real_index).st_mtime_ns == before
    assert not list(tmp_path.iterdir())


def test_a_large_sort_uses_the_temporary_folder():
    """A sort that exceeds the memory limit may write to the temporary folder."""
    from dicomcore.archive.reporting.sql import connected, run_sql

    with connected(pa.table({"path": ["a"]}), memory="60MB") as database:
        sql = "SELECT count(*) FROM (SELECT md5(i::VARCHAR) AS h FROM range(2000000) t(i) ORDER BY h)"
        assert run_sql(database, sql).read_all().column(0).to_pylist() == [2_000_000]
        (setting,) = database.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    assert not setting  # a slow query would print it between the rows of its result


def test_a_table_for_people(wild, capsys):
    assert main(["query", wild, "SELECT path, many, real FROM files"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "a\\x1b[31m.dcm" in said
    assert '["x", null]' in said
    assert "(3 rows)" in said
    assert main(["query", wild, "FROM files", "--rows", "1"]) == 0
    assert "(3 rows; the first 1 are shown, --rows 0 shows all)" in capsys.readouterr().out


def test_json(wild, capsys, tmp_path):
    assert main(["query", wild, "SELECT *, sum(1) OVER () AS n FROM files", "--json", "-"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == {
        "path": WILD["path"][0],
        "day": "2020-02-29",
        "at": "2020-01-01T00:00:00+00:00",
        "many": ["x", None],
        "real": "nan",
        "raw": "00ff",
        "n": 3,
    }
    assert [row["path"] for row in rows] == WILD["path"]
    assert main(["query", wild, "FROM files", "--json", str(tmp_path / "x.jsonl")]) == 0
    assert len((tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_csv(wild, capsys):
    assert main(["query", wild, "SELECT path, many, day FROM files", "--csv", "-"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["path", "many", "day"],
        [WILD["path"][0], '["x", null]', "2020-02-29"],
        [WILD["path"][1], "", ""],
        [WILD["path"][2], "[]", "0001-01-01"],
    ]


def test_parquet(wild, tmp_path, capsys):
    assert main(["query", wild, "FROM files", "--parquet", str(tmp_path / "x.parquet")]) == 0
    written = pq.read_table(tmp_path / "x.parquet")
    assert written["many"].to_pylist() == WILD["many"]
    assert written["path"].to_pylist() == WILD["path"]


@pytest.mark.parametrize("how", ["--csv", "--json", "--parquet"])
def test_a_query_that_fails_leaves_no_file(wild, tmp_path, how, capsys):
    target = tmp_path / "out" / "x"
    target.parent.mkdir()
    failing = "SELECT CASE WHEN path LIKE 'b%' THEN error('stop') ELSE path END FROM files"
    assert main(["query", wild, failing, how, str(target)]) == 2
    assert "stop" in capsys.readouterr().err
    assert not list(target.parent.iterdir())
    assert main(["query", wild, "FROM files", how, str(tmp_path / "none" / "x")]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["nowhere.parquet", __file__], ids=["no file", "no index"])
def test_no_index(source, capsys):
    assert main(["query", source, "SELECT 1"]) == 2
    assert capsys.readouterr().err.startswith("dicomcore query: ")


def test_a_table_without_paths_is_no_index(tmp_path, capsys):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    assert main(["query", str(tmp_path / "x.parquet"), "SELECT 1"]) == 2
    assert "no column `path`" in capsys.readouterr().err


def test_sql_from_standard_input(wild, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT count(*) AS n FROM files"))
    assert main(["query", wild, "-", "--csv", "-"]) == 0
    assert capsys.readouterr().out == "n\n3\n"
