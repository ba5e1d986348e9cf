"""folder: real files into a folder, resumed, reported, refused, sealed; and nothing of a patient in what it says."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pydicom.data
import pytest

from dicomcore import dcmread, deid
from dicomcore.cli.program import main
from dicomcore.deid import running, sealed

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

    monkeypatch.setattr(running, "apply", full)
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
