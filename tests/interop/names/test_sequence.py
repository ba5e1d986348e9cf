"""pydicom.sequence and what data sets do with their sequences under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import FILES, Both

SETUP = (
    FILES
    + """
import copy, io, pickle
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
def item(text="x"):
    ds = Dataset()
    ds.PatientID = text
    return ds
def around(*items):
    ds = Dataset()
    ds.ReferencedImageSequence = list(items)
    return ds
def ids(sequence):
    return [one.get("PatientID") for one in sequence]
def plan():
    return dcmread(FILES / "rtplan.dcm")
def again(ds):
    stream = io.BytesIO()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.preamble = bytes(128)
    ds.save_as(stream)
    return dcmread(io.BytesIO(stream.getvalue()))
"""
)
SAME = {
    "made": "len(Sequence()), len(Sequence([])), len(Sequence(None)), ids(Sequence([item('a'), item('b')]))",
    "of a tuple": "ids(Sequence((item('a'),)))",
    "of a generator": "ids(Sequence(item(t) for t in 'abc'))",
    "of a sequence": "ids(Sequence(Sequence([item('a')])))",
    "of a data set": "Sequence(Dataset())",
    "of a number": "Sequence(5)",
    "of numbers": "Sequence([1, 2])",
    "of a text": "Sequence('ab')",
    "printed": "str(Sequence()), repr(Sequence()), str(Sequence([item()])), repr(Sequence([item(), item()]))",
    "index": "s = Sequence([item('a'), item('b')]); s[0].PatientID, s[-1].PatientID, ids(s[:1]), ids(s[::-1])",
    "index past the end": "Sequence([item()])[1]",
    "an item set": "s = Sequence([item('a')]); s[0] = item('b'); ids(s)",
    "items set": "s = Sequence([item('a'), item('b')]); s[:1] = [item('c'), item('d')]; ids(s)",
    "a value set": "s = Sequence([item('a')]); s[0] = 1",
    "values set": "s = Sequence([item('a')]); s[:] = [1]",
    "append": "s = Sequence(); s.append(item('a')); ids(s)",
    "append of a value": "Sequence().append('x')",
    "append of a sequence": "Sequence().append(Sequence())",
    "extend": "s = Sequence([item('a')]); s.extend([item('b'), item('c')]); ids(s)",
    "extend of a data set": "Sequence().extend(item())",
    "extend of values": "Sequence().extend([1])",
    "+=": "s = Sequence([item('a')]); s += [item('b')]; ids(s)",
    "+= of a data set": "s = Sequence(); s += item()",
    "insert": "s = Sequence([item('a')]); s.insert(0, item('b')); ids(s)",
    "insert of a value": "Sequence().insert(0, 1)",
    "del": "s = Sequence([item('a'), item('b')]); del s[0]; ids(s)",
    "pop": "s = Sequence([item('a'), item('b')]); s.pop().PatientID, s.pop(0).PatientID, len(s)",
    "pop of nothing": "Sequence().pop()",
    "remove": "s = Sequence([item('a'), item('b')]); s.remove(item('a')); ids(s)",
    "remove of what is not there": "Sequence([item('a')]).remove(item('b'))",
    "clear": "s = Sequence([item('a')]); s.clear(); len(s)",
    "reverse": "s = Sequence([item('a'), item('b')]); s.reverse(); ids(s)",
    "index of": "Sequence([item('a'), item('b')]).index(item('b'))",
    "count": "Sequence([item('a'), item('a')]).count(item('a'))",
    "in": "item('a') in Sequence([item('a')]), item('b') in Sequence([item('a')])",
    "iter": "[one.PatientID for one in Sequence([item('a'), item('b')])]",
    "reversed": "[one.PatientID for one in reversed(Sequence([item('a'), item('b')]))]",
    "equal": "Sequence([item('a')]) == Sequence([item('a')]), Sequence([item('a')]) == Sequence([item('b')]),"
    " Sequence() == Sequence(), Sequence([item('a')]) != Sequence()",
    "equal to a list": "Sequence([item('a')]) == [item('a')]",
    "bool": "bool(Sequence()), bool(Sequence([Dataset()]))",
    "hash": "hash(Sequence())",
    "copies": "s = Sequence([item('a')]); t = copy.deepcopy(s); t[0].PatientID = 'b'; ids(s), ids(t), type(t).__name__",
    "pickled": "s = pickle.loads(pickle.dumps(Sequence([item('a')]))); ids(s), type(s).__name__",
    "kinds": "isinstance(plan().BeamSequence, Sequence), isinstance([], Sequence)",
    "set in a data set": "ds = around(item('a'), item('b')); ids(ds.ReferencedImageSequence),"
    " ds['ReferencedImageSequence'].VM, type(ds.ReferencedImageSequence).__name__",
    "shared with the element": "ds = around(item('a')); ds['ReferencedImageSequence'].value.append(item('b'));"
    " ids(ds.ReferencedImageSequence), ds.ReferencedImageSequence is ds['ReferencedImageSequence'].value",
    "shared with the caller": "s = Sequence([item('a')]); ds = Dataset(); ds.ReferencedImageSequence = s;"
    " s.append(item('b'));"
    " ids(ds.ReferencedImageSequence)",
    "items are the caller's": "one = item('a'); ds = around(one); one.PatientID = 'b'; ids(ds.ReferencedImageSequence),"
    " ds.ReferencedImageSequence[0] is one",
    "an item in two sequences": "one = item('a'); a, b = around(one), around(one);"
    " a.ReferencedImageSequence[0].PatientID = 'z';"
    " ids(b.ReferencedImageSequence)",
    "of a file, the same each time": "ds = plan(); ds.BeamSequence is ds.BeamSequence, ds.BeamSequence[0] is"
    " ds.BeamSequence[0]",
    "of a file, changed": "ds = plan(); ds.BeamSequence.append(item('z')); ds.BeamSequence[0].BeamName = 'q';"
    " ds = again(ds); len(ds.BeamSequence), ds.BeamSequence[0].BeamName, ds.BeamSequence[-1].PatientID",
    "of a file, moved": "ds = plan(); new = Dataset(); new.BeamSequence = ds.BeamSequence; new = again(new); str(new)",
    "of a file, an item moved": "ds = plan(); new = around(ds.BeamSequence[0]); str(again(new))",
    "of a file, two exchanged": "ds = plan(); s = ds.BeamSequence[0].ControlPointSequence; s[0], s[1] = s[1], s[0];"
    " str(again(ds).BeamSequence[0])",
    "of a file, sorted": "s = plan().BeamSequence[0].ControlPointSequence;"
    " [p.ControlPointIndex for p in sorted(s, key=lambda p: -p.ControlPointIndex)]",
    "filtered": "ds = around(item('a'), item('b')); ds.ReferencedImageSequence = [i for i in ds.ReferencedImageSequence"
    " if i.PatientID == 'b']; ids(again(ds).ReferencedImageSequence)",
    "nested": "ds = around(around(item('a')));"
    " again(ds).ReferencedImageSequence[0].ReferencedImageSequence[0].PatientID",
    "emptied": "ds = plan(); ds.BeamSequence = []; len(again(ds).BeamSequence), ds['BeamSequence'].is_empty",
    "deleted inside": "ds = plan(); del ds.BeamSequence[0].ControlPointSequence[0]; len(again(ds).BeamSequence[0]"
    ".ControlPointSequence)",
    "an item that changes while iterated": "\nds = around(item('a'), item('b'))\nfor one in"
    " ds.ReferencedImageSequence:\n"
    "    one.PatientID += '1'\nids(ds.ReferencedImageSequence)",
    "parent_seq": "s = around(item('a')).ReferencedImageSequence; s[0].parent_seq is not None",
    "is_undefined_length": "plan().BeamSequence.is_undefined_length, plan()['BeamSequence'].is_undefined_length",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
