"""The DICOMDIR of a folder of new files (PS3.3 Annex F): made of them alone, so that it has no more than they have."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from dicomcore.deid.mapping import uid_of
from dicomcore.deid.plan import Plan
from dicomcore.errors import DicomError
from dicomcore.fileset import FileSet
from dicomcore.fileset.fileid import DICOMDIR
from dicomcore.uids import UID

__all__ = ["write_directory"]

NO_RECORD = "no record of a DICOMDIR can refer to this file"


def write_directory(top: str, names: Iterable[str], plan: Plan) -> Counter[str]:
    """Write the DICOMDIR of `top` with records of the files in it that `names` are, and of those it had; remarks.

    Its UID depends on the key and on the instances, so that two runs make the same one.
    """
    there = os.path.exists(os.path.join(top, DICOMDIR))
    file_set = FileSet(top) if there else FileSet.new(top)
    notes: Counter[str] = Counter()
    for name in sorted(set(names)):
        try:
            file_set.add(os.path.join(top, name), invent=True)
        except DicomError:
            notes[NO_RECORD] += 1
    instances = sorted(str(one.SOPInstanceUID) for one in file_set)
    if plan.key is not None:
        file_set.UID = UID(uid_of(plan.key.digest(b"directory", *(uid.encode() for uid in instances))).decode())
    file_set.write(durable=False)
    return notes
