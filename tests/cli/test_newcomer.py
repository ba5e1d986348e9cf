"""The command line for new users: help, wrong use, odd file names, other locales, interruption."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dicomcore
from dicomcore.cli import main, program
from dicomcore.cli.console import printable
from dicomcore.cli.dump import plain_arguments
from dicomcore.cli.formatter import Formatter
from dicomcore.cli.program import parser
from tests.support.corpus import real

POSIX = pytest.mark.skipif(os.name == "nt", reason="names, signals and devices of POSIX")
COMMAND = [sys.executable, "-m", "dicomcore"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(dicomcore.__file__).parents[1])}  # independent of a test's folder
ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
ODD = {  # name of a file in bytes: what it is a copy of
    b"with space.dcm": "CT_small.dcm",
    b"line\nbreak.dcm": "MR_small.dcm",
    b"caf\xe9.dcm": "rtplan.dcm",
    "日本.dcm".encode(): "test-SR.dcm",
    b"esc\x1b[31m.dcm": "SC_rgb_rle.dcm",
}


def ran(*argv: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *argv], capture_output=True, env=ENVIRONMENT | environment, timeout=120)


# -- help


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command's parser, with the command's words."""
    pending: list[tuple[str, Any]] = [("dicomcore", program.parser())]
    while pending:
        words, parser = pending.pop()
        yield words, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                pending += [(f"{words} {name}", below) for name, below in action.choices.items()]


PARSERS = dict(parsers())


def test_the_parsers_of_all_commands_are_found():
    assert len(PARSERS) > 20
    assert "dicomcore dicomdir unpack" in PARSERS


@pytest.mark.parametrize("words", PARSERS)
def test_help_shows_usage_and_exit_codes(words):
    said = PARSERS[words].format_help()
    assert said.startswith(f"usage: {words} ")
    assert "exit codes: 0 " in said
    assert len(max(said.splitlines(), key=len)) < 120
    assert all(action.help for action in PARSERS[words]._actions if action.option_strings), "an option without a word"


@pytest.mark.parametrize("words", [words for words in PARSERS if words != "dicomcore"])
def test_the_examples_of_help_are_valid(words):
    examples = re.findall(r"^  (dicomcore .*)$", PARSERS[words].format_help(), re.M)
    assert examples
    for example in examples:
        for part in example.split(" | "):
            assert part.startswith("dicomcore ")
            PARSERS["dicomcore"].parse_args(shlex.split(part)[1:])  # SystemExit where it is wrong


def test_paragraphs_are_laid_out_and_examples_kept():
    parser = argparse.ArgumentParser("x", epilog="a\nb\n\n  c\n  d", formatter_class=Formatter)
    assert parser.format_help().endswith("\na b\n\n  c\n  d\n")


def test_the_package_runs_as_a_module():
    done = ran("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"dicomcore ")


# -- wrong use


class TestWrongUse:
    """Wrong use prints one sentence on stderr that names the mistake, no traceback, and leaves no file."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch, capsys):
        pytest.importorskip("pyarrow")
        monkeypatch.chdir(tmp_path)
        shutil.copy(real("CT_small.dcm"), "ct.dcm")
        shutil.copy(real("no_meta.dcm"), "bare.dcm")
        Path("notes.txt").write_text("no DICOM")
        Path("folder").mkdir()
        assert main(["index", "ct.dcm", "-o", "index.parquet", "-q"]) == 0
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("argv", "code", "said"),
        [
            ("dump folder", 1, "folder: is a directory; `dicomcore index` reads folders"),
            ("dump bare.dcm", 1, "bare.dcm: may be DICOM, but .*; --force reads it as a bare data set"),
            ("frames bare.dcm -o out", 1, "bare.dcm: may be DICOM, but .*--force"),
            ("transcode bare.dcm -o out.dcm --to rle", 1, "bare.dcm: may be DICOM, but .*--force"),
            ("extract bare.dcm", 1, "bare.dcm: may be DICOM, but .*byte 0$"),
            ("frames ct.dcm -o notes.txt", 2, "notes.txt: Not a directory"),
            ("extract ct.dcm -o notes.txt", 2, "notes.txt: Not a directory"),
            ("transcode ct.dcm -o nowhere/o.dcm --to rle", 1, "nowhere/o.dcm: No such file or directory"),
            ("transcode folder -o notes.txt --to rle", 2, ".*notes.txt: Not a directory"),
            ("report folder -o r.html", 2, "folder: is no index.*`dicomcore index` makes one"),
            ("report nowhere -o r.html", 2, "nowhere: No such file or directory"),
            ("report index.parquet -o folder", 1, "folder: is a directory"),
            ("report index.parquet -o nowhere/r.html", 1, "nowhere/r.html: No such file or directory"),
            ("query index.parquet 'select 1' --csv nowhere/x", 1, "nowhere/x: No such file or directory"),
            ("query index.parquet 'select 1' --parquet folder", 1, "folder: Is a directory"),
            ("query ct.dcm 'select 1'", 2, "ct.dcm is no index"),
            ("organize index.parquet --into notes.txt --pattern {Rows}", 2, "notes.txt: Not a directory"),
            ("organize nowhere --into o --pattern {Rows}", 2, "nowhere: No such file or directory"),
            ("sheet ct.dcm -o s.png", 2, "ct.dcm: is no index"),
            ("sheet nowhere -o s.png", 2, "nowhere: No such file or directory"),
            ("index ct.dcm -o folder", 2, "folder: Is a directory"),
            ("index ct.dcm -o nowhere/i.parquet", 2, "nowhere: No such file or directory"),
            ("index ct.dcm -o i.csv --errors nowhere/e", 2, "nowhere/e: No such file or directory"),
            ("dicomdir unpack notes.txt folder", 2, "notes.txt: the package contains no DICOMDIR"),
            ("encapsulate notes.txt -o n.dcm", 1, "notes.txt: .*give --kind"),
        ],
    )
    def test_wrong_use_is_reported_in_one_sentence(self, argv, code, said, capsys):
        if argv.startswith("query"):
            pytest.importorskip("duckdb")
        if argv.startswith(("report", "sheet")):
            pytest.importorskip("jinja2")
        before = sorted(os.listdir())
        words = shlex.split(argv)
        assert main(words) == code
        told = capsys.readouterr().err
        assert re.match(f"dicomcore {words[0]}: {said}", told.strip("\n")), told
        assert told.count("\n") == 1
        assert set(os.listdir()) - set(before) <= {"out"}

    @pytest.mark.parametrize(
        ("argv", "name"),
        [
            ("sheet '' -o s.png", "INDEX_OR_DIR"),
            ("dicomdir add '' ct.dcm", "DICOMDIR"),
            ("dicomdir create '' ct.dcm", "FOLDER"),
            ("dicomdir create set ''", "FILE"),
            ("dump ''", "FILE"),
            ("index '' -o i.parquet", "SOURCE"),
            ("transcode '' -o o.dcm --to rle", "FILE_OR_DIR"),
        ],
    )
    def test_an_empty_name_is_refused(self, argv, name, capsys):
        """An unset shell variable gives an empty argument, which must not mean the current folder."""
        with pytest.raises(SystemExit, match="2"):
            main(shlex.split(argv))
        assert f"argument {name}: is empty" in capsys.readouterr().err

    @POSIX
    @pytest.mark.parametrize(
        "argv",
        ["query pipe 'select 1'", "report pipe -o r.html", "organize pipe --into o --pattern {Rows}",
         "sheet pipe -o s.png", "dicomdir list pipe", "dicomdir add pipe ct.dcm"],
    )  # fmt: skip
    def test_commands_that_can_not_read_a_pipe_do_not_wait_for_one(self, argv, capsys):
        pytest.importorskip("duckdb")
        pytest.importorskip("jinja2")
        os.mkfifo("pipe")
        assert main(shlex.split(argv)) == 2
        told = capsys.readouterr().err
        assert re.search("pipe: is a pipe, a socket or a device, not a file\n$", told), told

    @POSIX
    @pytest.mark.parametrize("argv", ["index ct.dcm -o device", "query index.parquet 'select 1' --parquet device"])
    def test_a_table_does_not_replace_a_device(self, argv, capsys):
        pytest.importorskip("duckdb")
        os.mkfifo("device")
        assert main(shlex.split(argv)) in (1, 2)
        assert "device: is no regular file" in capsys.readouterr().err
        assert stat.S_ISFIFO(os.stat("device").st_mode)

    @POSIX
    def test_other_output_is_written_to_a_device(self, capsys):
        pytest.importorskip("duckdb")
        pytest.importorskip("jinja2")
        os.symlink("/dev/full", "full")
        for argv in ("report index.parquet -o full", "query index.parquet 'select 1' --csv full"):
            assert main(shlex.split(argv)) == 1
            assert "full: No space left on device" in capsys.readouterr().err
        assert Path("full").is_symlink()
        assert stat.S_ISCHR(os.stat("/dev/full").st_mode)

    @POSIX
    def test_a_link_is_followed(self):
        os.symlink("index.parquet", "latest.parquet")
        assert main(["index", "ct.dcm", "ct.dcm", "-o", "latest.parquet", "-q"]) == 0
        assert Path("latest.parquet").is_symlink()
        import pyarrow.parquet as pq

        assert pq.read_table("index.parquet").num_rows == 2


# -- output


@POSIX
@pytest.mark.parametrize("argv", [["dump", "CT"], ["dump", "--json", "CT"]])
def test_a_full_standard_output_is_reported(argv):
    words = [str(real("CT_small.dcm")) if word == "CT" else word for word in argv]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT)
    assert done.stderr == b"dicomcore: standard output: No space left on device\n"
    assert done.returncode == 2


@POSIX
class TestNames:
    """File names that aren't valid text, or hold line breaks, work; messages show them on one line."""

    @pytest.fixture(scope="session")
    @staticmethod
    def odd(tmp_path_factory) -> Path:
        pytest.importorskip("duckdb")
        top = tmp_path_factory.mktemp("odd")
        folder = os.fsencode(top / "a folder")
        os.mkdir(folder)
        for name, source in ODD.items():
            shutil.copy(real(source), os.path.join(folder, name))
        return top

    def test_from_index_to_folders(self, odd, monkeypatch):
        monkeypatch.chdir(odd)
        shutil.rmtree("sorted", ignore_errors=True)
        done = ran("index", "a folder", "-o", "i.parquet", "--json", **ASCII_LOCALE)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["read"] == len(ODD)
        done = ran(
            "organize", "i.parquet", "--into", "sorted", "--pattern", "{Modality}", "--copy", "-q", **ASCII_LOCALE
        )
        assert (done.returncode, done.stderr) == (0, b"")
        found = [path.read_bytes() for path in Path("sorted").rglob("*.dcm")]
        assert sorted(found) == sorted(real(name).read_bytes() for name in ODD.values())
        for into, lines in ("elsewhere", len(ODD)), ("sorted", 0):  # files that exist already need no work
            done = ran("organize", "i.parquet", "--into", into, "--pattern", "{Modality}", "-n", **ASCII_LOCALE)
            assert done.stdout.count(b"\n") == lines + 1

    def test_from_query_and_report(self, odd, monkeypatch):
        pytest.importorskip("jinja2")
        monkeypatch.chdir(odd)
        assert main(["index", "a folder", "-o", "q.parquet", "-q"]) == 0
        for form, seen in ([], rb"\u65e5\u672c"), (["--json", "-"], "日本".encode()):
            done = ran("query", "q.parquet", "SELECT path, Modality FROM files", *form, **ASCII_LOCALE)
            assert (done.returncode, done.stderr) == (0, b"")
            assert seen in done.stdout
        names = [json.loads(line)["path"] for line in done.stdout.splitlines()]
        assert r"a folder/caf\xe9.dcm" in names
        done = ran("report", "q.parquet", "-o", "r.html", **ASCII_LOCALE)
        assert (done.returncode, done.stderr) == (0, b"")
        assert Path("r.html").read_text("utf-8").count("data:image/jpeg") == 3

    def test_in_utf_8(self, odd, monkeypatch):
        monkeypatch.chdir(odd)
        assert main(["index", "a folder", "-o", "u.parquet", "-q"]) == 0
        assert main(["organize", "u.parquet", "--into", "u", "--pattern", "{Modality}", "--name", "{path}", "-q"]) == 0
        assert len([path for path in Path("u").glob("*/*") if path.is_file()]) == len(ODD)
        assert main(["transcode", "a folder", "-o", "t", "--to", "rle"]) == 0
        assert sorted(os.listdir(b"t")) == sorted(ODD)
        files = [os.fsdecode(os.path.join(b"a folder", name)) for name in ODD]
        done = ran("dump", "--lines", *files)
        assert (done.returncode, done.stderr) == (0, b"")
        assert {json.loads(line)["file"] for line in done.stdout.splitlines()} == set(files)

    def test_from_dump_and_frames(self, odd, monkeypatch):
        monkeypatch.chdir(odd)
        files = [os.path.join(b"a folder", name) for name in ODD]
        done = ran("dump", "--lines", *map(os.fsdecode, files), **ASCII_LOCALE)
        assert (done.returncode, done.stderr) == (0, b"")
        assert ran("dump", *map(os.fsdecode, files), **ASCII_LOCALE).returncode == 0
        done = ran("frames", os.fsdecode(files[0]), "-o", "pictures", "--json", **ASCII_LOCALE)
        assert json.loads(done.stdout)["file"] == "pictures/with space.0.png"

    def test_from_transcode(self, odd, monkeypatch):
        monkeypatch.chdir(odd)
        shutil.rmtree("small", ignore_errors=True)
        done = ran("transcode", "a folder", "-o", "small", "--to", "rle", **ASCII_LOCALE)
        assert (done.returncode, done.stderr) == (0, b"")
        assert sorted(os.listdir(b"small")) == sorted(ODD)

    def test_errors_are_one_line(self, odd, monkeypatch, capsys):
        monkeypatch.chdir(odd)
        assert main(["dump", "line\nbreak\x1b[0m"]) == 1
        assert capsys.readouterr().err == "dicomcore dump: line\\nbreak\\x1b[0m: No such file or directory\n"
        assert printable(os.fsdecode(b"caf\xe9")) == r"caf\xe9"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8:strict"])
def test_every_character_has_a_form_in_any_encoding(encoding):
    path = str(real("chrH31.dcm"))
    done = ran("dump", path, "-q", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("山".encode() if "utf" in encoding else rb"\u5c71") in done.stdout
    done = ran("dump", path, "--json", PYTHONIOENCODING=encoding)  # the output for programs is UTF-8 everywhere
    assert "山田" in json.loads(done.stdout)["00100010"]["Value"][0]["Ideographic"]
    for argv in (["transcode", "--help"], ["transcode", "--list"]):
        assert ran(*argv, PYTHONIOENCODING=encoding).returncode == 0


# -- interruption


@pytest.mark.thread_unsafe(reason="processes in a folder of its own")
@POSIX
class TestBreak:
    """Ctrl-C, and a scheduler's SIGTERM, while there is work."""

    @pytest.fixture(scope="session")
    @staticmethod
    def many(tmp_path_factory) -> Path:
        """A folder of 600 files, and an index of it."""
        pytest.importorskip("pyarrow")
        top = tmp_path_factory.mktemp("many")
        (top / "files").mkdir()
        data = bytearray(real("MR_small.dcm").read_bytes())
        for i in range(600):
            data[-4:] = i.to_bytes(4, "little")
            (top / "files" / f"{i}.dcm").write_bytes(data)
        assert main(["index", str(top / "files"), "-o", str(top / "i.parquet"), "-q"]) == 0
        return top

    def broken(self, number: int, begun: Path, *argv: str) -> tuple[int, str]:
        """Exit code and stderr of a command that gets a signal as soon as the file `begun` exists."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so did we
        with subprocess.Popen(
            [*COMMAND, *argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
        ) as work:
            try:
                while not begun.exists():
                    assert work.poll() is None, "it ended too soon"
                    time.sleep(0.002)
                work.send_signal(number)
                _, said = work.communicate(timeout=60)
            finally:
                work.kill()
        return work.returncode, said.decode()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
    @pytest.mark.parametrize("command", ["index", "transcode", "organize"])
    def test_a_stopped_command_leaves_nothing_half_done_and_resumes(self, many, tmp_path, command, number):
        out = tmp_path / "out"
        files = str(many / "files")
        argv, begun = {
            "index": (
                ["index", files, "-o", f"{out}.parquet", "--workers", "1", "--level", "frame"],
                tmp_path / ".out.parquet.part" / "00000000.arrow",
            ),
            "transcode": (["transcode", files, "-o", str(out), "--to", "rle"], out / "10.dcm"),
            "organize": (
                ["organize", str(many / "i.parquet"), "--into", str(out), "--link", "--pattern", "{Modality}"],
                out / "MR",
            ),
        }[command]
        code, said = self.broken(number, begun, *argv)
        assert "Traceback" not in said
        assert not list(tmp_path.rglob(".*.part/*.tmp"))
        assert not [path for path in tmp_path.rglob("*.part") if path.is_file()]
        assert code == (130 if number == signal.SIGINT else 143)
        assert number == signal.SIGTERM or ("interrupted" in said and "the same command" in said)
        assert main(argv) == 0
        if command != "index":
            assert sum(path.is_file() for path in out.rglob("*.dcm")) == 600

    def test_dicomdir(self, many, tmp_path):
        """A new file-set appears only when it is complete."""
        code, _ = self.broken(
            signal.SIGINT, many / "i.parquet", "dicomdir", "create", str(tmp_path / "disc"), str(many / "files")
        )
        assert code in (130, -signal.SIGINT)  # the latter before Python is up
        assert not (tmp_path / "disc" / "DICOMDIR").exists()


@pytest.mark.parametrize("command", ["report", "sheet", "dicomdir", "transcode", "organize"])
def test_an_interruption_is_reported_in_one_sentence(command, monkeypatch, capsys, tmp_path):
    words = {
        "report": ["report", "i", "-o", "r"],
        "sheet": ["sheet", ".", "-o", "s.png"],
        "dicomdir": ["dicomdir", "create", "d"],
        "transcode": ["transcode", ".", "-o", "x", "--to", "rle"],
        "organize": ["organize", "i", "--into", "x", "--pattern", "x"],
    }[command]
    parser = PARSERS["dicomcore"]

    def run(arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    def parsed(argv: Any) -> argparse.Namespace:
        arguments = parser.parse_args(argv)
        arguments.run = run
        return arguments

    monkeypatch.setattr(program, "_parsed", parsed)
    assert main(words) == 130
    assert re.fullmatch(r"\ndicomcore: interrupted: .{10,}\n", capsys.readouterr().err)


def test_files_without_options_are_dumped_as_the_parser_says():
    plain, parsed = plain_arguments(["a.dcm", "b.dcm"]), parser(["dump"]).parse_args(["dump", "a.dcm", "b.dcm"])
    assert vars(plain) == vars(parsed)
