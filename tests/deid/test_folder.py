"""folder: real files into a folder, resumed, reported, refused, sealed; and nothing of a patient in what it says."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pydicom.data
import pytest

from dicomcore import dcmread, deid
from dicomcore.cli.program import main
from dicomcore.deid import crew, newfile, running, sealed, working
from dicomcore.fileset import FileSet

KEY = deid.Key.generate()
NAMES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "image_dfl.dcm", "test-SR.dcm",
         "liver_1frame.dcm")  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    made = tmp_path / "in" / "Secretname^Patient"
    made.mkdir(parents=True)
    found = {path.name: path for path in Path(pydicom.data.__file__).parent.rglob("*.dcm")}
    for name in NAMES:
        ds = dcmread(found[name])
        ds.PatientName = "Secretname^Patient"
        ds.save_as(made / name)
    (made / "README.txt").write_text("no DICOM")
    return tmp_path / "in"


@pytest.fixture
def plan() -> deid.Plan:
    return deid.Plan(["retain_longitudinal_modified_dates", "clean_descriptors"], KEY)


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.dcm")}


def test_a_folder(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    out = tmp_path / "out"
    summary = deid.folder(inputs, out, plan, workers=2, report=tmp_path / "r.jsonl", crosswalk=tmp_path / "x.csv")
    assert summary
    assert summary.counts == {"written": len(NAMES), "not DICOM": 1}
    files = written(out)
    assert len(files) == len(NAMES)
    for name, data in files.items():
        assert b"Secretname" not in data
        assert "Secretname" not in name
        ds = dcmread(out / name)
        assert ds.PatientIdentityRemoved == "YES"
        uids = ds.StudyInstanceUID, ds.SeriesInstanceUID, f"{ds.SOPInstanceUID}.dcm"
        assert Path(name).parts == (ds.PatientID or "unknown", *uids)
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert len(lines) == 1 + len(NAMES) + 1
    assert {line["output"] for line in lines[1:] if line["output"]} == set(files)
    page = (tmp_path / "r.html").read_text()
    assert "Pixel data was not looked at" in page
    for said in ((tmp_path / "r.jsonl").read_text(), page):
        assert "Secretname" not in said
        assert str(inputs) not in said
    assert stat.S_IMODE(os.stat(tmp_path / "x.csv").st_mode) == 0o600
    with open(tmp_path / "x.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["new_instance"] for row in rows if row["output"]} == {Path(name).stem for name in files}
    assert not list(out.rglob("*.part"))


def test_a_second_run_writes_what_is_new(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    out = tmp_path / "out"
    deid.folder(inputs, out, plan)
    before = {name: os.stat(out / name).st_mtime_ns for name in written(out)}
    gone = next(iter(before))
    (out / gone).unlink()
    summary = deid.folder(inputs, out, plan)
    assert summary.counts == {"written": 1, "there": len(NAMES) - 1, "not DICOM": 1}
    assert {name: time for name, time in before.items() if name != gone} == {
        name: os.stat(out / name).st_mtime_ns for name in written(out) if name != gone
    }
    other = deid.Plan(["retain_longitudinal_modified_dates"], KEY)
    assert deid.folder(inputs, out, other).counts["there"] < len(NAMES)
    assert "Secretname" not in (out / ".dicomcore-deid").read_text()


def test_two_orders_and_two_folders_give_the_same_bytes(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    files = sorted((inputs / "Secretname^Patient").glob("*.dcm"))
    deid.folder(files, tmp_path / "a", plan, workers=1)
    again = deid.Plan(["retain_longitudinal_modified_dates", "clean_descriptors"], KEY)
    deid.folder(files[::-1], tmp_path / "b", again, workers=2)
    assert written(tmp_path / "a") == written(tmp_path / "b")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes are worth their start from the first input on."""
    monkeypatch.setattr(running, "MANY", 1)
    monkeypatch.setattr(running, "MANY_WITH_PIXELS", 1)
    monkeypatch.setattr(running, "CHUNK", 2)


@pytest.mark.usefixtures("many")
def test_processes_do_what_this_one_does(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    bad = inputs / "Secretname^Patient" / "cut.dcm"
    bad.write_bytes((inputs / "Secretname^Patient" / "CT_small.dcm").read_bytes()[:30_000])
    said = []
    for workers, name in ((1, "a"), (2, "b")):
        summary = deid.folder(inputs, tmp_path / name, plan, workers=workers, crosswalk=tmp_path / f"{name}.csv")
        crosswalk = (tmp_path / f"{name}.csv").read_text()
        said.append((summary.counts, summary.rows, [one.reason for one in summary.failures], crosswalk))
    assert said[0] == said[1]
    assert written(tmp_path / "a") == written(tmp_path / "b")
    assert deid.folder(inputs, tmp_path / "b", plan, workers=2).counts["there"] == len(NAMES)


@pytest.mark.usefixtures("many")
def test_a_function_that_no_process_can_be_sent(inputs: Path, tmp_path: Path) -> None:
    own = deid.Plan([], KEY, overrides={"PatientName": lambda _: "A^B"})
    assert crew.crew_for(working.Task("", own, str, None), 2) is None  # type: ignore[arg-type]
    assert deid.folder(inputs, tmp_path / "out", own, workers=2).counts["written"] == len(NAMES)


@pytest.mark.usefixtures("many")
@pytest.mark.skipif(not hasattr(os, "kill"), reason="the system has no signals")
def test_an_input_that_ends_its_process_is_a_failure(
    inputs: Path, tmp_path: Path, plan: deid.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = (
        "import os\nfrom dicomcore.deid import working\nmade = working.Task.work\n"
        "def work(self, numbered):\n"
        "    return os.abort() if numbered[1].endswith('rtplan.dcm') else made(self, numbered)\n"
        "working.Task.work = work\n"
    )
    monkeypatch.setattr(crew, "BOOT", crew.BOOT.replace("from dicomcore", f"exec({boot!r}); from dicomcore", 1))
    summary = deid.folder(inputs, tmp_path / "out", plan, workers=2)
    assert (summary.counts["written"], summary.counts["failed"]) == (len(NAMES) - 1, 1)
    assert summary.failures[0].reason == crew.GONE
    assert not list((tmp_path / "out").rglob("*.part"))


def test_two_inputs_with_one_identity(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    one = inputs / "Secretname^Patient" / "CT_small.dcm"
    shutil.copy(one, inputs / "same.dcm")
    other = dcmread(one)
    other.Rows = 64
    other.save_as(inputs / "other.dcm")
    summary = deid.folder(inputs, tmp_path / "out", plan)
    assert summary.counts == {"written": len(NAMES) + 1, "there": 1, "not DICOM": 1}
    assert len([name for name in written(tmp_path / "out") if name.endswith("-2.dcm")]) == 1
    assert not list((tmp_path / "out").rglob("*.part"))
    assert deid.folder(inputs, tmp_path / "out", plan).counts["there"] == len(NAMES) + 2


def test_an_archive_is_resumed(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(inputs.rglob("*.dcm")):
            target.write(path, path.name)
    deid.folder(archive, tmp_path / "out", plan)
    seen = []
    deid.folder(archive, tmp_path / "out", plan, progress=lambda done: seen.append((done.result, done.outcome)))
    assert seen == [("there", None)] * len(NAMES)  # known without being read


PSEUDONYMS = {"1CT1": "STUDY-1"}, {"1CT1": "STUDY-2"}


def test_other_pseudonyms_are_another_plan(inputs: Path, tmp_path: Path) -> None:
    for number, pseudonyms in enumerate(PSEUDONYMS, 1):
        deid.folder(inputs, tmp_path / "out", deid.Plan([], KEY, pseudonyms=pseudonyms))
        assert (tmp_path / "out" / f"STUDY-{number}").is_dir()


@pytest.mark.parametrize("named", [False, True], ids=["without a name", "with a name"])
def test_a_kill_leaves_nothing_in_part(
    inputs: Path, tmp_path: Path, plan: deid.Plan, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    out = tmp_path / "out"
    program = (
        "import os, sys, pickle\nfrom dicomcore import deid\nfrom dicomcore.deid import newfile, working\n"
        f"if {named}: newfile._has_unnamed = lambda: False\n"
        "working._write = lambda file, out: (os.write(file, out.whole()[:1000]), os.kill(os.getpid(), 9))\n"
        "plan = pickle.loads(sys.stdin.buffer.read())\n"
        f"deid.folder({str(inputs)!r}, {str(out)!r}, plan)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(plan), check=False)
    assert done.returncode == -signal.SIGKILL
    assert not written(out)
    left = list(out.rglob("*.part"))
    assert len(left) == named
    for path in left:
        os.utime(path, (1, 1))
    monkeypatch.setattr(newfile, "_has_unnamed", lambda: not named)
    assert deid.folder(inputs, out, plan).counts["written"] == len(NAMES)
    assert not list(out.rglob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no limits")
def test_a_full_disk(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    """A limit of the size of files, which is as near to a full disk as one gets without a disk."""
    program = (
        "import sys, pickle, resource\nfrom dicomcore import deid\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\nplan = pickle.loads(sys.stdin.buffer.read())\n"
        f"summary = deid.folder({str(inputs)!r}, {str(tmp_path / 'out')!r}, plan)\n"
        "print(dict(summary.counts), {one.reason for one in summary.failures})"
    )
    done = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(plan), check=True, capture_output=True)
    assert b"File too large" in done.stdout
    assert not list((tmp_path / "out").rglob("*.part"))
    assert all(len(data) < 20_000 for data in written(tmp_path / "out").values())
    summary = deid.folder(inputs, tmp_path / "out", plan)
    assert summary.counts["written"] + summary.counts["there"] == len(NAMES)


def test_a_file_set(tmp_path: Path, plan: deid.Plan) -> None:
    """A DICOMDIR is passed over, and one of the new files is written, the same in any order."""
    source = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"
    files = [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file() and not {"DICOMDIR", "README"} & {path.name.split("-")[0]}
    ]
    summary = deid.folder(source, tmp_path / "out", plan, dicomdir=True)
    assert summary.counts["directory"] > 1
    deid.folder(files[::-1], tmp_path / "again", plan, dicomdir=True)
    assert (tmp_path / "out" / "DICOMDIR").read_bytes() == (tmp_path / "again" / "DICOMDIR").read_bytes()
    made = FileSet(tmp_path / "out")
    assert not [one for one in made.check() if one.severity == "error"]
    places = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    places -= {Path("DICOMDIR"), Path(".dicomcore-deid")}
    assert {Path(*one.ReferencedFileID) for one in made} == places
    assert len(made) == summary.counts["written"]
    for old in ("98892001", "98892003", "Doe", "Archibald"):
        assert old.encode() not in (tmp_path / "out" / "DICOMDIR").read_bytes()
    more = tmp_path / "more.dcm"
    ds = dcmread(files[-1])
    ds.SOPInstanceUID = "1.2.3.4"
    ds.save_as(more)
    deid.folder(more, tmp_path / "out", plan, dicomdir=True)
    assert len(FileSet(tmp_path / "out")) == len(made) + 1


def test_an_archive_and_one_bad_file(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    bad = inputs / "Secretname^Patient" / "cut.dcm"
    bad.write_bytes((inputs / "Secretname^Patient" / "CT_small.dcm").read_bytes()[:30_000])
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(inputs.rglob("*.dcm")):
            target.write(path, path.name)
    summary = deid.folder(archive, tmp_path / "out", plan)
    assert not summary
    assert (summary.counts["written"], summary.counts["failed"]) == (len(NAMES), 1)
    (failure,) = summary.failures
    assert failure.source.endswith("cut.dcm")
    assert "Secretname" not in failure.reason
    assert "cut.dcm" not in failure.reason


def test_folders_in_each_other_are_refused(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    link = tmp_path / "link"
    link.symlink_to(inputs)
    for out in (inputs, inputs / "out", tmp_path, link, link / "out"):
        with pytest.raises(ValueError, match="another folder"):
            deid.folder(inputs, out, plan)
    assert not list(inputs.rglob("*.part"))


def test_a_dry_run_writes_nothing(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    summary = deid.folder(inputs, tmp_path / "out", plan, dry_run=True)
    assert summary.counts["written"] == len(NAMES)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing(
    inputs: Path, tmp_path: Path, plan: deid.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(working, "redacted", full)
    summary = deid.folder(inputs, tmp_path / "out", plan)
    assert summary.counts["failed"] == len(NAMES) + 1
    assert {one.reason for one in summary.failures} == {"No space left on device"}
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".dcm", ".part")]


def test_what_identifies_keeps_a_file_back(inputs: Path, tmp_path: Path) -> None:
    keeping = deid.Plan(["retain_longitudinal_modified_dates"], KEY, overrides={"PatientName": "K"})
    summary = deid.folder(inputs, tmp_path / "out", keeping, verify=True)
    assert summary.counts["failed"] == len(NAMES)
    assert not written(tmp_path / "out")
    assert all("Secretname" not in one.reason for one in summary.failures)


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@needs_openssl
def test_sealed_originals(inputs: Path, tmp_path: Path, plan: deid.Plan) -> None:
    pytest.importorskip("cryptography")
    certificate, key, other = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "o.pem"
    for name, where in ((key, certificate), (other, tmp_path / "oc.pem")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Officer",
             "-keyout", name, "-out", where], check=True, capture_output=True,
        )  # fmt: skip
    out = tmp_path / "out"
    deid.folder(inputs, out, plan, seal=deid.Seal(certificate))
    originals = {str(dcmread(path).SOPInstanceUID): dcmread(path) for path in inputs.rglob("*.dcm")}
    for name, data in written(out).items():
        assert b"Secretname" not in data
        back = deid.reveal(out / name, key)
        assert back == originals[str(back.SOPInstanceUID)]
        with pytest.raises(deid.DeidError, match="opens nothing"):
            deid.reveal(out / name, other)
    content = dcmread(out / name).EncryptedAttributesSequence[0].EncryptedContent
    (tmp_path / "c.der").write_bytes(content)
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "c.der", "-inkey", key,
               "-recip", certificate, "-binary"]  # fmt: skip
    assert b"Secretname" in subprocess.run(command, check=True, capture_output=True).stdout


@pytest.mark.parametrize("data", [b"", b"random bytes of no data set", bytes(64), b"\x10\0\x10\0PN\4\0A^B "])
def test_what_a_wrong_key_gives_is_not_taken(data: bytes) -> None:
    assert sealed._read(data, "1.2.840.10008.1.2.1", None) is None


# -- the command


def test_the_command(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, out, failed = tmp_path / "key.toml", tmp_path / "out", tmp_path / "failed"
    assert main(["deid", "keygen", str(key)]) == 0
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert main(["deid", "keygen", str(key)]) == 2  # never over an existing one
    capsys.readouterr()
    words = ["deid", str(inputs), str(out), "--key", str(key), "--retain", "dates,patient", "--clean", "descriptors"]
    assert main([*words, "--failed", str(failed)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{len(NAMES)} files written, 1 is not DICOM\n")
    assert "pixels were not looked at" in said.out
    one = tmp_path / "one"
    assert main(["deid", str(inputs / "Secretname^Patient" / "CT_small.dcm"), str(one), "--key", str(key)]) == 0
    assert main(["deid", "verify", str(one), str(inputs / "Secretname^Patient" / "CT_small.dcm")]) == 0
    assert main(["deid", "verify", str(inputs), str(inputs)]) == 1
    assert "Secretname" not in capsys.readouterr().out.replace(str(inputs), "").replace("Secretname^Patient/", "")
    whole = (inputs / "Secretname^Patient" / "CT_small.dcm").read_bytes()
    (inputs / "Secretname^Patient" / "cut.dcm").write_bytes(whole[:30_000])
    assert main([*words, "--failed", str(failed)]) == 1
    said = capsys.readouterr()
    assert "Secretname" not in said.out + said.err
    assert "cut.dcm" in failed.read_text()
    assert stat.S_IMODE(os.stat(failed).st_mode) == 0o600


def test_nothing_to_do_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("no DICOM")
    KEY.save(tmp_path / "key.toml")
    words = ["deid", str(tmp_path / "README"), str(tmp_path / "out"), "--key", str(tmp_path / "key.toml")]
    assert main(words) == 1


@pytest.mark.usefixtures("many")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_no_identifier_is_said_whatever_the_input_is(
    inputs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Damaged files, links and pipes: what is printed, reported and left behind has no name, ID or path of them."""
    place = inputs / "Secretname^Patient"
    whole = (place / "CT_small.dcm").read_bytes()
    ds = dcmread(place / "CT_small.dcm")
    secrets = ["Secretname", str(ds.PatientID), str(ds.StudyInstanceUID), str(ds.SOPInstanceUID), str(inputs)]
    for size in (131, 400, 1000, 5000, len(whole) - 3):
        (place / f"cut{size}.dcm").write_bytes(whole[:size])
    for at in range(200, 3000, 311):
        (place / f"mangled{at}.dcm").write_bytes(whole[:at] + b"\xff\x00\xff\x00" + whole[at + 4 :])
    (place / "empty.dcm").write_bytes(b"")
    (place / "loop").symlink_to(inputs)
    (place / "gone.dcm").symlink_to(tmp_path / "nowhere.dcm")
    os.mkfifo(place / "pipe.dcm")
    KEY.save(tmp_path / "key.toml")
    out = tmp_path / "out"
    words = ["deid", str(inputs), str(out), "--key", str(tmp_path / "key.toml"), "--clean", "descriptors,pixels"]
    words += ["--pixels", "detect", "--verify", "--report", str(tmp_path / "r.jsonl"), "--dicomdir"]
    assert main(words) == 1
    said = capfd.readouterr()
    told = said.out + said.err + (tmp_path / "r.jsonl").read_text() + (tmp_path / "r.html").read_text()
    told += "".join(f"{path.relative_to(out)}" for path in out.rglob("*"))
    data = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert "failed" in told
    assert not [secret for secret in secrets if secret in told]
    assert not [secret for secret in secrets if secret.encode() in data]
    assert not list(tmp_path.rglob("*.part"))
    assert FileSet(out)


WRONG = {
    "no key": ["IN", "OUT"],
    "a key that is none": ["IN", "OUT", "--key", "README"],
    "an unknown option": ["IN", "OUT", "--retain", "everything"],
    "one word": ["IN"],
    "no such source": ["missing", "OUT"],
    "the folder itself": ["IN", "IN"],
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_wrong_use(inputs: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README").write_text("no key")
    KEY.save(tmp_path / "key.toml")
    places = {"IN": str(inputs), "OUT": str(tmp_path / "out"), "README": str(tmp_path / "README")}
    given = [places.get(one, one) for one in words]
    if "--key" not in given and words != WRONG["no key"]:
        given += ["--key", str(tmp_path / "key.toml")]
    assert main(["deid", *given]) == 2
    assert capsys.readouterr().err.startswith("dicomcore deid: ")
    assert not (tmp_path / "out").exists()
