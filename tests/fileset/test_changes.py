"""Changes of file-sets: the files on disk after add, remove and move, also after an interruption at any step."""

from __future__ import annotations

import builtins
import os
import shutil
import signal
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import dicomcore as dc
from dicomcore.fileset import FileSet
from dicomcore.fileset.change import JOURNAL, Change, apply, is_unfinished, recover
from tests.support.corpus import PYDICOM, real

pytestmark = pytest.mark.thread_unsafe(reason="changes the folder of a fixture, and forks")

HAS_FORK = hasattr(os, "fork")


def an_instance(number: int, patient: int = 1) -> dc.Dataset:
    ds = dc.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"1.2.3.{number}"
    ds.PatientID, ds.PatientName = f"P{patient}", "Any^One"
    ds.StudyInstanceUID, ds.StudyID, ds.StudyDate, ds.StudyTime = f"1.2.{patient}", "1", "20200101", "101010"
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.Modality = f"1.2.{patient}.1", 1, "OT"
    ds.InstanceNumber, ds.Rows = number, 1
    return ds


@pytest.fixture
def folder(tmp_path) -> Path:
    """A file-set of four instances of two patients."""
    file_set = FileSet()
    for i in range(4):
        file_set.add(an_instance(i, i // 2))
    file_set.write(tmp_path / "set")
    return tmp_path / "set"


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def instances_on_disk(folder: Path) -> set[str]:
    """The instances of the file-set on disk; the file of each must exist and have the UID of its record."""
    found = set()
    for one in FileSet(folder):
        assert one.load().SOPInstanceUID == one.SOPInstanceUID
        found.add(str(one.SOPInstanceUID))
    return found


def is_consistent(folder: Path) -> bool:
    """Whether the folder has nothing but a complete DICOMDIR and the files that it refers to."""
    assert FileSet(folder).check() == ()
    return len(files_of(folder)) == len(FileSet(folder)) + 1


def test_remove_takes_the_file_and_empty_records_and_folders(folder):
    file_set = FileSet(folder)
    uid = file_set.UID
    gone = file_set.find(PatientID="P0")
    file_set.remove(gone)
    assert len(files_of(folder)) == 5  # nothing changes before it is written
    file_set.write()
    assert [one.PatientID for one in FileSet(folder)] == ["P1", "P1"]
    assert len(FileSet(folder).roots) == 1
    assert not (folder / "PT000000").exists()
    assert uid == FileSet(folder).UID  # PS3.10 8.1
    assert is_consistent(folder)
    with pytest.raises(KeyError):
        file_set.remove(gone[0])


def test_move(folder):
    file_set = FileSet(folder)
    one = file_set.instance("1.2.3.2")
    old = Path(one.path)
    data = old.read_bytes()
    file_set.move(one, "ELSE/WHERE")
    file_set.write()
    assert one.ReferencedFileID == ("ELSE", "WHERE")
    assert (folder / "ELSE" / "WHERE").read_bytes() == data
    assert not old.exists()
    assert is_consistent(folder)


def test_moves_that_swap_two_instances(folder):
    file_set = FileSet(folder)
    one, other = file_set.instance("1.2.3.0"), file_set.instance("1.2.3.1")
    places = one.ReferencedFileID, other.ReferencedFileID
    for step in range(2):  # through a third name: files move one at a time
        file_set.move(one, f"TEMP{step}")
        file_set.write()
        file_set.move(other, places[0])
        file_set.write()
        file_set.move(one, places[1])
        file_set.write()
        assert (one.ReferencedFileID, other.ReferencedFileID) == (places[1], places[0])
        one, other = other, one
    assert instances_on_disk(folder) == {f"1.2.3.{i}" for i in range(4)}
    assert is_consistent(folder)


WRONG = {  # name: a change of a file-set that is not allowed
    "to a taken place": lambda fs: fs.move(fs.instance("1.2.3.0"), fs.instance("1.2.3.1").ReferencedFileID),
    "to a folder": lambda fs: fs.move(fs.instance("1.2.3.0"), "PT000001"),
    "to the directory": lambda fs: fs.move(fs.instance("1.2.3.0"), "DICOMDIR"),
    "to lower case": lambda fs: fs.move(fs.instance("1.2.3.0"), "im1"),
    "out of the folder": lambda fs: fs.move(fs.instance("1.2.3.0"), "../X"),
    "added under a taken place": lambda fs: fs.add(an_instance(9), file_id=fs.instance("1.2.3.1").ReferencedFileID),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_places_change_nothing(wrong, folder):
    before = files_of(folder), (folder / "DICOMDIR").read_bytes()
    file_set = FileSet(folder)
    with pytest.raises(dc.DicomError):
        wrong(file_set)
    assert not file_set.is_staged
    file_set.write()
    assert (files_of(folder), (folder / "DICOMDIR").read_bytes()) == before


def test_instances_may_be_removed_during_iteration(folder):
    file_set = FileSet(folder)
    assert len(file_set) > 1
    for instance in file_set:
        file_set.remove(instance)
    assert len(file_set) == 0


def test_an_instance_added_and_removed_before_writing_keeps_its_source(folder, tmp_path):
    source = Path(shutil.copy(real("CT_small.dcm"), tmp_path / "source.dcm"))
    file_set = FileSet(folder)
    file_set.remove(file_set.add(source))
    file_set.write()
    assert source.exists()
    assert instances_on_disk(folder) == {f"1.2.3.{i}" for i in range(4)}
    here = folder / "HERE"
    shutil.copy(source, here)
    file_set.remove(file_set.add(here))
    file_set.write()
    assert here.exists()


def test_links_instead_of_copies(folder, tmp_path):
    source = Path(shutil.copy(real("CT_small.dcm"), tmp_path / "source.dcm"))
    file_set = FileSet(folder)
    one = file_set.add(source)
    file_set.write(link=True)
    assert os.path.samefile(one.path, source)


def test_a_copy_elsewhere(folder, tmp_path):
    file_set = FileSet(folder)
    file_set.add(an_instance(9))
    copied = file_set.copy(tmp_path / "copy")
    assert (
        instances_on_disk(tmp_path / "copy")
        == {f"1.2.3.{i}" for i in (0, 1, 2, 3, 9)}
        == {one.SOPInstanceUID for one in copied}
    )
    assert instances_on_disk(folder) == {f"1.2.3.{i}" for i in range(4)}
    assert file_set.is_staged
    with pytest.raises(FileExistsError):
        file_set.copy(tmp_path / "copy")
    file_set.write()
    assert is_consistent(folder)
    assert is_consistent(tmp_path / "copy")


def test_a_file_in_the_way_is_not_touched(folder):
    (folder / "NEW").write_text("mine")
    file_set = FileSet(folder)
    file_set._registry.folders.discard(("NEW",))
    one = file_set.add(an_instance(9), file_id="NEW2")
    one.record.keys.ReferencedFileID = ["NEW"]
    with pytest.raises(FileExistsError):
        file_set.write()
    assert (folder / "NEW").read_text() == "mine"
    assert instances_on_disk(folder) == {f"1.2.3.{i}" for i in range(4)}


def test_a_dicomdir_that_changed_meanwhile_is_not_overwritten(folder):
    mine, other = FileSet(folder), FileSet(folder)
    other.add(an_instance(8))
    other.write()
    mine.add(an_instance(9))
    with pytest.raises(dc.DicomError, match="changed since"):
        mine.write()
    assert "1.2.3.8" in instances_on_disk(folder)


def test_a_missing_source_changes_nothing(folder, tmp_path):
    source = Path(shutil.copy(real("CT_small.dcm"), tmp_path / "source.dcm"))
    before = files_of(folder)
    file_set = FileSet(folder)
    file_set.add(an_instance(9))
    file_set.add(source)
    source.unlink()
    with pytest.raises(FileNotFoundError):
        file_set.write()
    assert files_of(folder) == before
    assert is_consistent(folder)


def test_a_full_disk_changes_nothing(folder, monkeypatch):
    before = files_of(folder)
    file_set = FileSet(folder)
    file_set.add(an_instance(9))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        file_set.write()
    monkeypatch.undo()
    assert files_of(folder) == before
    assert is_consistent(folder)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"made": 1}', b'{"directory": "x", "made": [["..", "x"]], "removed": []}']
)
def test_an_invalid_journal_is_ignored(text, folder):
    (folder.parent / "x").write_text("outside")
    (folder / JOURNAL).write_bytes(text)
    assert is_unfinished(folder)
    assert "UNFINISHED_CHANGE" in {issue.code for issue in FileSet(folder).issues}
    assert recover(str(folder))
    assert not recover(str(folder))
    assert (folder.parent / "x").read_text() == "outside"
    assert is_consistent(folder)


@pytest.mark.skipif(not HAS_FORK, reason="needs fork")
def test_a_change_under_way_elsewhere_is_not_disturbed(folder):
    fcntl = pytest.importorskip("fcntl")
    with open(folder / JOURNAL, "wb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        with pytest.raises(dc.DicomError, match="another process"):
            FileSet(folder).write()
    assert (folder / JOURNAL).exists()


# -- killed

STEPS = ("open", "write", "replace", "unlink", "fsync", "mkdir", "rmdir", "link")


def killed_at(step: int, change) -> bool:
    """Run `change` in a process that dies, without cleaning up, before its `step`-th call that touches the disk.

    Give whether the change had ended by then.
    """
    child = os.fork()
    if not child:
        left = step

        def counted(call):
            def run(*arguments, **options):
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                    time.sleep(60)
                return call(*arguments, **options)

            return run

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        builtins.open = counted(builtins.open)
        try:
            change()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


def some_of_each(folder: Path) -> None:
    file_set = FileSet(folder)
    file_set.add(an_instance(8))
    file_set.add(real("CT_small.dcm"))
    file_set.remove(file_set.find(PatientID="P0"))
    file_set.move(file_set.instance("1.2.3.2"), "MOVED/HERE")
    file_set.write()


@pytest.mark.skipif(not HAS_FORK, reason="needs fork")
def test_killed_at_any_step_a_change_leaves_the_old_file_set_or_the_new_one(folder, tmp_path):
    old = instances_on_disk(folder)
    shutil.copytree(folder, tmp_path / "done")
    some_of_each(tmp_path / "done")
    new = instances_on_disk(tmp_path / "done")
    assert len(new - old) == 2
    outcomes = []
    for step in range(500):
        work = tmp_path / "work"
        shutil.copytree(folder, work)
        finished = killed_at(step, lambda work=work: some_of_each(work))
        now = instances_on_disk(work)
        assert now in (old, new), f"killed before step {step}"
        outcomes.append(now == new)
        unfinished = is_unfinished(work)
        FileSet(work).write(durable=False)
        assert is_consistent(work), f"killed before step {step}, {files_of(work)}"
        assert instances_on_disk(work) == now
        assert not finished or not unfinished
        shutil.rmtree(work)
        if finished:
            break
    else:
        pytest.fail("it never came to its end")
    assert outcomes == sorted(outcomes)  # after the first new one all are new
    assert outcomes.count(False) > 10 < len(outcomes)
    assert outcomes.count(True) > 4


@pytest.mark.skipif(not HAS_FORK, reason="needs fork")
def test_recovery_may_be_killed_at_any_step(folder, tmp_path):
    """The next recovery finishes the interrupted one."""
    place = tmp_path / "half"
    shutil.copytree(folder, place)
    killed_at(12, lambda: some_of_each(place))
    assert is_unfinished(place)
    old = instances_on_disk(place)
    for step in range(100):
        work = tmp_path / "work"
        shutil.copytree(place, work)
        finished = killed_at(step, lambda work=work: recover(str(work)))
        assert instances_on_disk(work) == old
        recover(str(work))
        assert is_consistent(work)
        shutil.rmtree(work)
        if finished:
            return
    pytest.fail("it never came to its end")


# -- any changes in any order


class Changing(RuleBasedStateMachine):
    """Random changes, each compared with a plain dictionary of the expected files."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.place = Path(tempfile.mkdtemp(prefix="dicomcore-fileset-"))
        FileSet().write(self.place / "set", durable=False)
        self.file_set = FileSet(self.place / "set")
        self.wanted: dict[str, int] = {}
        self.number = 0

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    @rule(patient=st.integers(0, 2))
    def add(self, patient):
        self.number += 1
        self.file_set.add(an_instance(self.number, patient))
        self.wanted[f"1.2.3.{self.number}"] = patient

    @rule(data=st.data())
    def remove(self, data):
        if self.wanted:
            uid = data.draw(st.sampled_from(sorted(self.wanted)))
            self.file_set.remove(self.file_set.instance(uid))
            del self.wanted[uid]

    @rule(data=st.data(), name=st.sampled_from(["A", "B", "C/D"]))
    def move(self, data, name):
        if self.wanted:
            uid = data.draw(st.sampled_from(sorted(self.wanted)))
            try:
                self.file_set.move(self.file_set.instance(uid), name)
            except dc.DicomError as error:
                assert "taken" in str(error)

    @rule()
    def write(self):
        self.file_set.write(durable=False)
        assert instances_on_disk(self.place / "set") == set(self.wanted)
        assert is_consistent(self.place / "set")

    @rule()
    def read_again(self):
        if not self.file_set.is_staged:
            self.file_set = FileSet(self.place / "set")

    @invariant()
    def agree(self):
        assert {str(one.SOPInstanceUID): int(one.PatientID[1:]) for one in self.file_set} == self.wanted
        assert len(FileSet(self.file_set.to_bytes())) == len(self.wanted)


Changing.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestChanging = Changing.TestCase


def test_a_change_that_is_refused_leaves_no_journal(folder):
    change = Change(str(folder), (folder / "DICOMDIR").read_bytes(), [(("DICOMDIR",), an_instance(1))], [])
    with pytest.raises(FileExistsError):
        apply(change)
    assert not is_unfinished(folder)


# ---- a DICOMDIR written by save_as


def test_a_warning_names_a_dicomdir_whose_records_move(tmp_path):
    target = tmp_path / "DICOMDIR"
    data_set = dc.dcmread(PYDICOM / "test_files/dicomdirtests/DICOMDIR")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data_set.save_as(target)
        data_set.FileSetID = "PYDICOM_LIST"  # as long as the old value
        data_set.save_as(target)
    data_set.FileSetID = "SHORTER"
    with pytest.warns(UserWarning, match=r"not linked any more: .*FileSet"):
        data_set.save_as(target)
    assert any(issue.code == "RECORD_LINK" for issue in FileSet(target).issues)
    FileSet(target).write()
    mended = FileSet(target)
    assert (mended.issues, mended.ID, len(mended)) == ((), "SHORTER", 31)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-nopatient"])
def test_an_edit_behind_the_records_breaks_no_link(tmp_path, name):
    data_set = dc.dcmread(PYDICOM / "test_files/dicomdirtests" / name)
    data_set.PatientID = "stands behind the records"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # not even of a link that was broken before
        data_set.save_as(tmp_path / "edited")
    data_set.DirectoryRecordSequence[0].PatientComments = "moves all records behind"
    with pytest.warns(UserWarning, match="not linked any more"):
        data_set.save_as(tmp_path / "edited")
