"""A condition's text read: sentences, what each says of the attribute, and their clauses as trees.

A clause is a test of an attribute, tests joined by words, or a phrase of `reasons` that no machine can tell. Anything
else is not read at all: `Unread`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.standard.conditions.reasons import reason_of, test_of
from tools.standard.conditions.tree import ABSENT, FORBIDDEN, FREE, LOGIC, UNDECIDED, Condition, Tree, join
from tools.standard.conditions.words import Token, mark, split, vr_of

ScopeOf = Callable[[str], "str | None"]
CONTROL_POINTS = {"300A0111", "300A03A8", "300A02D0", "30080040", "30080041", "30080160"}


class Unread(ValueError):
    """A text, or a clause of it, that has no known shape."""


@dataclass
class Reading:
    """One text on its way to a condition."""

    scope_of: ScopeOf
    """The scope of an attribute, None where there is none."""
    inside: str = ""
    """The sequence that the attribute stands in."""
    own: str = ""
    """Its tag."""
    modules: Callable[[str], Tree | None] = lambda name: None
    """The test of a module or macro by its name."""
    tokens: list[Token] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Why what isn't decided isn't."""


# Said beside a condition: how many items or values, what they mean, where to read on.
REMARK = re.compile(
    r"(Only (a single|one|Dosimetric)|One or more|More than one|Two or more|One triplet|A single Value|See "
    r"|Some leniency"
    r"|2?N Values shall|The N Values|The same number|The text value|The VR of|The combined|The toric|This information"
    r"|Every such|Defined Terms|Additional values|Enumerated Values|For Values of|Sequence of operating|Required Motion"
    r"|May be empty if|Shall be present only in the first|If this Sequence is present|Shall not be used"
    r"|or Color Palette|Only required for MR Spectroscopy|(May|Shall) not be used as a Shared)",
    re.I,
)
START = re.compile(r"(?<=\S) (?=(?:Required if|Required when|May be present|May also be present|Otherwise may be) )")
REQUIRED = re.compile(
    r"(?:(?:Otherwise,? )?(?:required|shall be present)(?: only)?,? (?:if|when):? "
    r"|Required (?=¤)|If (?=required by))(.*)",
    re.I,
)
FREE_TEXT = re.compile(r"(otherwise |Otherwise )?(may|maybe)( also)? be present( otherwise)?$", re.I)


def sentences(text: str) -> list[str]:
    """The sentences of a marked text."""
    text = text.replace("e.g.,", "such as").replace("i.e.,", "that is").replace("i.e. ", "that is ").replace("..", ".")
    text = re.sub(r"Required if Required if", "Required if", text)
    text = re.sub(r"[,;] (?=(?:otherwise )?(?:may|maybe|shall not) be present)", ". ", text)
    parts = [part for sentence in re.split(r"(?<=[\w¤¬\"”)])[.;](?:\s+|$)", text) for part in START.split(sentence)]
    return [part.strip(" .,–") for part in parts if part.strip(" .,–")]


def read(text: str, reading: Reading) -> Condition:
    """The condition that a text states."""
    marked, reading.tokens = mark(text)
    required: list[Tree] = []
    permitted: list[Tree] = []
    forbidden: list[Tree] = []
    otherwise = ABSENT
    for sentence in sentences(marked):
        if FREE_TEXT.match(sentence) or re.match(r"May be present otherwise to ", sentence):
            otherwise = FREE
        elif m := re.match(r"May be present otherwise unless (.*)", sentence):
            otherwise = FREE
            forbidden.append(clause(m[1], reading))
        elif re.match(r"(It )?shall not be (present|included|sent) otherwise$|Otherwise not used$", sentence, re.I):
            otherwise = FORBIDDEN
        elif m := re.match(r"Shall not be (?:present|included|sent|used)(?: to)?,? (?:if|when) (.*)", sentence, re.I):
            forbidden.append(clause(m[1], reading))
        elif m := re.match(
            r"(?:Otherwise,? )?may(?: also)? be present(?: otherwise)?,?(?: only)?,? (?:if|for) (.*)", sentence, re.I
        ):
            permitted.append(clause(m[1], reading))
        elif m := re.match(r"Mutually exclusive with (¤\d+¤)$", sentence):
            forbidden.append(clause(f"{m[1]} is present", reading))
            required.append(clause(f"{m[1]} is not present", reading))
        elif m := re.match(r"Either one or both of (¤\d+¤) or (¤\d+¤) are required$", sentence):
            tags = [reading.tokens[int(one.strip("¤"))].value for one in m.groups()]
            other = next(tag for tag in tags if tag != reading.own)
            required.append(("not", ("has", _scope(other, reading), other)))
            otherwise = FREE
        elif m := REQUIRED.match(sentence):
            required.append(clause(m[1], reading))
        elif m := re.match(r"Required for (.*)", sentence):
            required.append(_required_for(m[1], reading))
        elif not REMARK.match(sentence):
            raise Unread(f"sentence: {sentence[:60]}")
    if not required and not forbidden and not permitted:
        raise Unread("says nothing")
    if not required:
        required = [("false",)] if forbidden and not permitted else [UNDECIDED]
        otherwise = FREE if forbidden else otherwise
    return Condition(
        join("or", *required),
        otherwise,
        join("or", *permitted) if permitted else None,
        join("or", *forbidden) if forbidden else None,
    )


def _required_for(text: str, reading: Reading) -> Tree:
    """`Required for the first item of …, or if …`."""
    m = re.match(r"all but the last Item in this Sequence and for the last Item if (.*)", text)
    if m:
        return join("or", ("not", ("place", -1)), clause(m[1], reading))
    m = re.match(
        r"(?:the )?(?:first (?:item|control point)|control point 0) (?:of|in) "
        r"(?:(?:segment|ion)? ?control point sequence|¤(\d+)¤)"
        r"(?: if (.*?)(?=, or if|, and in))?(?:,? (?:or|and) (.*))?$",
        text,
        re.I,
    )
    if not m:
        return clause(text, reading)
    if reading.inside not in CONTROL_POINTS or (m[1] and reading.tokens[int(m[1])].value not in CONTROL_POINTS):
        raise Unread(f"first item, but in {reading.inside}")
    first: Tree = ("place", 1)
    if m[2]:
        first = join("and", first, clause(m[2], reading))
    if not m[3]:
        return first
    rest = re.sub(r"^(if|in subsequent control points if) ", "", m[3])
    both = re.match(r"(.*?changes?(?: [^,]*?)?)(?:,? and(?: if)?) (.*)", rest)  # `and` concerns the first item, too
    if both and "non-zero" not in both[2]:
        reading.reasons.append(reason_of(plain(both[1])) or "")
        if not reading.reasons[-1]:
            raise Unread(f"clause: {both[1]}")
        return join("and", join("or", first, UNDECIDED), clause(both[2], reading))
    if both:
        return join("and", join("or", first, clause(both[1], reading)), clause(both[2], reading))
    return join("or", first, clause(rest, reading))


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


def plain(text: str) -> str:
    """A marked text with ``#`` for each attribute, code and UID."""
    return re.sub(r"[¤¬]\d+[¤¬]", "#", text)


def _scope(tag: str, reading: Reading) -> str:
    scope = reading.scope_of(tag)
    if scope is None:
        raise Unread(f"nowhere: {tag}")
    return scope


def settle(tree: Tree, scope_of: ScopeOf) -> Tree:
    """A tree with the scope of the tables in place of each ``*``."""
    if tree[0] in LOGIC:
        return (tree[0], *[settle(part, scope_of) for part in tree[1:]])
    if len(tree) > 2 and tree[1] == "*":
        scope = scope_of(tree[2])
        if scope is None:
            raise Unread(f"nowhere: {tree[2]}")
        return (tree[0], scope, *tree[2:])
    return tree


JOINTS = (  # how clauses are joined, the loosest first; the text between must be read whole on both sides
    ("and", r", and (?:if |that )?|,? and if |, unless "),
    ("or", r"[,;] or (?:if )?"),
    ("or", r" or (?:if )?"),
    ("and", r" and "),
    ("and", r", "),
)
ELLIPTIC = re.compile(r"(is|has|equals|are|have) ")
MODULE = re.compile(
    r"(?:the )?(.+?) (?:Modules?|Functional Groups?(?: Macros?| Modules?)?|Macros?)"
    r"(?: (is|is not|are|are not|exists))?(?: [Pp]resent| included)?$"
)


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
            return settle(known[1], self.reading.scope_of), subject
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


@dataclass(frozen=True)
class Subject:
    """The attributes that a test is of, how they are joined, and which value."""

    tags: tuple[str, ...]
    joined: str = "and"
    number: int = 0


NUMBERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "zero": 0, "one": 1, "two": 2}


ITEM_COUNTS = {
    "more than one item": (">", 1), "multiple items": (">", 1), "one item": ("==", 1), "zero items": ("==", 0),
}  # fmt: skip
AN_ITEM = ("an item with the value of", "an item with the value or", "an item with the value", "the value", "value")
WITH_VALUE = (
    "a value of", "the value of", "a value", "the value", "values of", "value of", "value", "an item value", "of value",
)  # fmt: skip
EQUALS = ("equal to", "equals", "equal", "either", "any of", "one of the following", "have a value of", "a value of")


class Test:
    """One test: a subject, if it isn't the last one's, and what is said of it."""

    def __init__(self, text: str, reading: Reading, subject: Subject | None) -> None:
        self.reading = reading
        self.text = text
        self.tokens = split(text, reading.tokens)
        self.at = 0
        self.subject = subject

    def read(self) -> tuple[Tree, Subject] | None:
        """The tree and the subject, if all of the text is one test."""
        for alternative in (self._module, self._counted, self._filled_in, self._plain):
            self.at = 0
            tree = alternative()
            if tree is not None and self.at == len(self.tokens):
                return tree, self.subject or Subject(())
        return None

    # Steps over tokens.

    def _peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self, *texts: str) -> bool:
        """Step over these words or marks, if they come next."""
        following = self.tokens[self.at : self.at + len(texts)]
        same = len(following) == len(texts) and all(
            token.kind in ("word", "mark", "number") and token.value == text
            for token, text in zip(following, texts, strict=True)
        )
        self.at += len(texts) if same else 0
        return same

    def _any(self, *phrases: str) -> bool:
        return any(self._take(*phrase.split()) for phrase in phrases)

    # Shapes.

    def _module(self) -> Tree | None:
        m = MODULE.match(self.text)
        names = re.split(r",? or (?:either )?(?:the )?|, ", m[1]) if m else []
        tests = [self.reading.modules(name) for name in names]
        if m is None or None in tests:
            return None
        self.at = len(self.tokens)
        tree = join("or", *[test for test in tests if test is not None])
        return ("not", tree) if m[2] and "not" in m[2] else tree

    def _counted(self) -> Tree | None:
        """`there is more than one Item in A`, `the number of Items in A is greater than 1`."""
        if self._any("there is more than one item in the", "there is more than one item in"):
            found = self._attributes()
        elif self._any("the number of items in"):
            found = self._attributes()
            if not self._any("is greater than 1"):
                return None
        else:
            return None
        if found is None or not is_sequence(found[0][0]):
            return None
        self.subject = Subject(*found)
        return self._each(lambda tag: ("items", self._scope(tag), tag, ">", 1))

    def _filled_in(self) -> Tree | None:
        """`a value is present in A or B`."""
        found = self._attributes() if self._any("a value is present in") else None
        if found is None:
            return None
        self.subject = Subject(*found)
        return self._each(lambda tag: self._filled(tag, 0))

    def _plain(self) -> Tree | None:
        self._any("either", "both", "one")
        if self._subject():
            return self._said()
        if self.subject is not None:
            self._any("the value", "value")
            return self._said()
        return None

    def _attributes(self) -> tuple[tuple[str, ...], str] | None:
        """`A`, `A and B`, `A, B or C`."""
        tags, words, start = [], set[str](), self.at
        while (token := self._peek()) and token.kind == "attribute":
            tags.append(token.value)
            self.at += 1
            before = self.at
            self._take(",")
            word = "or" if self._take("or") else "and" if self._take("and") else ""
            self._take("the")
            following = self._peek()
            if not following or following.kind != "attribute":
                self.at = before
                break
            words.add(word)
        words.discard("")
        if not tags or len(words) > 1:
            self.at = start
            return None
        return tuple(tags), next(iter(words), "and")

    def _subject(self) -> bool:
        """Take the attributes, and which of their values; False, and nothing taken, if there are none."""
        start = self.at
        number = self._value_number()
        if number:
            self._take("of")
            self._take("the")
        found = self._attributes()
        if found is None:
            self.at = start
            if number and self.subject is not None:
                self.at = start
                number = self._value_number()
                self.subject = Subject(self.subject.tags, self.subject.joined, number)
                return True
            return False
        mark = self.at
        self._take(",")
        number = number or self._value_number()
        if not number:
            self.at = mark
            self._any("value", "values", "item value")
        self.subject = Subject(*found, number)
        return True

    def _value_number(self) -> int:
        """`Value 3`, `third value`."""
        start = self.at
        self._take("the")
        token = self._peek()
        if token and token.kind == "word" and token.value in NUMBERS:
            self.at += 1
            if self._take("value"):
                return NUMBERS[token.value]
        elif self._any("value", "values"):
            following = self._peek()
            if following and following.kind == "number":
                self.at += 1
                return int(following.value)
        self.at = start
        return 0

    def _scope(self, tag: str) -> str:
        return _scope(tag, self.reading)

    def _each(self, test: Callable[[str], Tree]) -> Tree:
        assert self.subject is not None
        return join(self.subject.joined, *[test(tag) for tag in self.subject.tags])

    def _said(self) -> Tree | None:
        """What is said of the subject."""
        assert self.subject is not None
        number = self.subject.number
        if self._any("not present", "absent"):
            return self._absent()
        auxiliary = self._any("is", "are", "does", "do", "has been", "=")
        if self._any("not present with", "not present"):
            return self._absent()
        if self._any("absent", "not sent"):
            return self._absent()
        if self._any("not empty", "non-null", "not zero length", "non-zero length"):
            return self._each(lambda tag: self._filled(tag, number))
        if self._any("empty", "zero length", "zero-length"):
            return self._each(lambda tag: ("and", ("has", self._scope(tag), tag), ("not", self._filled(tag, number))))
        if self._any("present", "sent", "used", "included", "exists", "provided"):
            return self._present(number)
        if self._any("has a value", "have a value", "contain a value", "contains a value") and self._ends():
            return self._each(lambda tag: self._filled(tag, number))
        negative = self._peek() == Token("word", "not")
        self._any("has", "have", "equals", "equal to", "equal", "set to", "with", "not contain a value")
        if (amount := self._amount()) is not None:
            return amount
        if (pointed := self._pointed()) is not None:
            return pointed
        if self._any("contains", "contain", "includes", "include"):
            if (items := self._item_count()) is not None:
                return items
            self._any(*AN_ITEM)
            return self._compared(number, known=True)
        if (items := self._item_count()) is not None:
            return items
        return self._compared(number, known=auxiliary or negative or self.at > 0)

    def _ends(self) -> bool:
        if self.at == len(self.tokens):
            return True
        self.at -= 3
        return False

    def _filled(self, tag: str, number: int) -> Tree:
        return ("items", self._scope(tag), tag, ">", 0) if is_sequence(tag) else ("val", self._scope(tag), tag, number)

    def _absent(self) -> Tree:
        return self._each(lambda tag: ("not", ("has", self._scope(tag), tag)))

    def _present(self, number: int) -> Tree | None:
        """`present`, and what may follow it: a value."""
        there = self._each(lambda tag: ("has", self._scope(tag), tag))
        if self.at == len(self.tokens):
            return there
        if self._any("with a value", "with value", "and has a value", "with an item value"):
            if self.at == len(self.tokens):
                return self._each(lambda tag: self._filled(tag, number))
            self._take("of")
            if self._any("other than"):
                self.at -= 2
            return self._compared(number, known=True)
        if self._any("and is either", "and is", "and equals", "and has the value", "has the value"):
            return self._compared(number, known=True)
        return None

    def _amount(self) -> Tree | None:
        """`greater than 1`, `non-zero`, and the like."""
        assert self.subject is not None
        start = self.at
        self._any("a value", "the value", "value")
        self._take("of")
        operator, bound = "", 0
        if self._any("non-zero", "not zero", "a non-zero value", "non-zero value"):
            operator = "!="
        elif self._any("greater than", "more than"):
            operator = ">"
            token = self._peek()
            if token is None or (token.kind != "number" and token.value not in NUMBERS):
                self.at = start
                return None
            bound = int(token.value) if token.kind == "number" else NUMBERS[token.value]
            self.at += 1
        if not operator or any(is_sequence(tag) for tag in self.subject.tags) or self.at != len(self.tokens):
            self.at = start
            return None
        number = self.subject.number
        return self._each(lambda tag: ("cmp", self._scope(tag), tag, number, operator, bound))

    def _item_count(self) -> Tree | None:
        """`more than one Item`, `multiple Items`, `one Item`."""
        assert self.subject is not None
        if not all(is_sequence(tag) for tag in self.subject.tags):
            return None
        for phrase, test in ITEM_COUNTS.items():
            if self._take(*phrase.split()):
                tests = [("items", self._scope(tag), tag, *test) for tag in self.subject.tags]
                return join(self.subject.joined, *tests)
        return None

    def _pointed(self) -> Tree | None:
        """`points to A`, `contains the Tag for A`, `is A or B`, `is the tag of a private attribute`."""
        assert self.subject is not None
        start = self.at
        if self._any("the data element tag of a private attribute"):
            return self._each(lambda tag: ("odd", self._scope(tag), tag))
        named = self._any("points to", "contains the tag for", "includes the tag for")
        if not named and not all(is_pointer(tag) for tag in self.subject.tags):
            return None
        found = self._attributes()
        if found is None or self.at != len(self.tokens):
            self.at = start
            return None
        return self._each(
            lambda tag: join("or", *[("tag", self._scope(tag), tag, 0, one) for one in found[0]]),
        )

    def _compared(self, number: int, *, known: bool) -> Tree | None:
        """`is A or B`, `is other than A`, `is not A`."""
        assert self.subject is not None
        while self._any(*WITH_VALUE):
            pass
        self._take("equal", "to")
        self._take(":")
        negative = self._any("other than", "not equal to", "not any of", "not", "equal a value other than")
        self._any(*EQUALS)
        self._any("the value", "a value of", "a value")
        self._take(":")
        codes, values = self._values()
        if not (codes or values) or not known:
            return None
        if codes:
            if values or not all(is_sequence(tag) for tag in self.subject.tags):
                return None
            tree = self._each(lambda tag: ("code", self._scope(tag), tag, tuple(codes)))
            there = self._each(lambda tag: ("items", self._scope(tag), tag, ">", 0))
            return join("and", there, ("not", tree)) if negative else tree
        if any(is_sequence(tag) for tag in self.subject.tags):
            return None
        if len(self.subject.tags) > 1 and negative:
            return None

        def test(tag: str) -> Tree:
            if vr_of(tag) in NUMERIC and all(re.fullmatch(r"-?\d+", value) for value in values):
                equal = [("cmp", self._scope(tag), tag, number, "==", int(value)) for value in values]
                if not negative:
                    return join("or", *equal)
                return join("and", *[("cmp", self._scope(tag), tag, number, "!=", int(value)) for value in values])
            return ("other" if negative else "in", self._scope(tag), tag, number, tuple(values))

        return self._each(test)

    def _values(self) -> tuple[list[tuple[str, str]], list[str]]:
        """`A`, `A or B`, `A, B, or C`; nothing else may come after."""
        codes: list[tuple[str, str]] = []
        values: list[str] = []
        while (token := self._peek()) and token.kind in ("value", "code", "uid", "number"):
            if token.kind == "code":
                codes += token.codes
            else:
                values.append(token.value)
            self.at += 1
            before = self.at
            self._take(",")
            self._any("or", "and not")
            self._any("any of", "equals")
            following = self._peek()
            if not following or following.kind not in ("value", "code", "uid", "number"):
                self.at = before
                break
        return codes, values


NUMERIC = {"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"}


def is_sequence(tag: str) -> bool:
    """Is the attribute a sequence?"""
    return vr_of(tag) == "SQ"


def is_pointer(tag: str) -> bool:
    """Has the attribute tags for values?"""
    return vr_of(tag) == "AT"
