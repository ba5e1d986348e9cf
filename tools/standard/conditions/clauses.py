"""A clause as a tree: a test, tests joined by words, or a phrase that no machine can tell.

Anything else is not read at all: `Unread`.
"""

from __future__ import annotations

import re

from tools.standard.conditions.predicates import Subject, Test
from tools.standard.conditions.reading import Reading, Unread, plain
from tools.standard.conditions.reasons import reason_of, test_of
from tools.standard.conditions.tree import UNDECIDED, Tree, join

FILLERS = re.compile(
    r"(?<!third )\b(?:the |an? )?(?:values? (?:of|for)|attribute|one or more of) (?:the )?(?=¤)|\b(?:the|an?) (?=¤)"
    r"| of the (?:referencing )?SOP Instance(?: including this Module)?| of this RT Physician Intent SOP Instance"
    r"| in this Sequence Item| of this Frame\b| at the image level| in this item of the ¤\d+¤"
    r"| in the current SOP Instance| within a Functional Group Sequence|, in which case .*|: Defined Terms .*"
    r"| in the (?:[\w-]+ )+image module(?= equals)| for any Frame in the SOP Instance"
    r"| in the Current Frame Functional Groups Module",
    re.I,
)
LEGACY = re.compile(r"a legacy converted SOP Class \((.*?)\)")


def clause(text: str, reading: Reading) -> Tree:
    """The tree of a clause."""
    text = re.sub(r"^if ", "", LEGACY.sub(r"\1", FILLERS.sub("", text))).strip(" .,")
    return _Clause(text, reading).tree()


JOINTS = (  # how clauses are joined, the loosest first; the text between must be read whole on both sides
    ("and", r", and (?:if |that )?|,? and if "),
    ("or", r"[,;] or (?:if )?"),
    ("or", r" or (?:if )?"),
    ("and", r" and "),
    ("and", r", "),
)
ELLIPTIC = re.compile(r"(is|has|equals|are|have) ")


class _Clause:
    """A recursive descent over one clause."""

    def __init__(self, text: str, reading: Reading) -> None:
        self.text = text
        self.reading = reading

    def tree(self) -> Tree:
        found = self._parse(self.text, None)
        if found is None:
            raise Unread(f"clause: {self._shown()}")
        return found[0]

    def _shown(self) -> str:
        return re.sub(r"[¤¬](\d+)[¤¬]", lambda m: f"<{self.reading.tokens[int(m[1])].value}>", self.text)[:160]

    def _parse(self, text: str, subject: Subject | None) -> tuple[Tree, Subject | None] | None:
        """A test, tests joined, or a phrase that no machine can tell; with the attribute that was tested last."""
        text = text.strip(" ,")
        text = re.sub(r"^(?:either|both|if|that) (?!¤\d+¤ or)", "", text)
        test = Test(text, self.reading, subject).read()
        if test is not None:
            return test
        known = test_of(text)
        if known:
            self.reading.reasons += [known[0]] if known[0] else []
            return self.reading.settle(known[1]), subject
        for kind, joint in JOINTS:
            for m in re.finditer(joint, text):
                if kind == "or" and ELLIPTIC.match(text[m.end() :]) and re.search(r" and ¤", text[: m.start()]):
                    continue  # says more of what stands behind that `and`
                kept = len(self.reading.reasons)
                left = self._parse(text[: m.start()], subject)
                right = left and self._parse(text[m.end() :], left[1])
                if left and right:
                    return join(kind, left[0], right[0]), right[1]
                del self.reading.reasons[kept:]
        reason = reason_of(plain(text))
        if reason:
            self.reading.reasons.append(reason)
            return UNDECIDED, subject
        return None
