"""One test in a clause: an attribute, or several, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tools.standard.conditions.reading import Reading
from tools.standard.conditions.tree import Tree, join
from tools.standard.conditions.words import Token, split, vr_of

NUMERIC = {"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"}
NUMBERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "zero": 0, "one": 1, "two": 2}
ITEM_COUNTS = {
    "more than one item": (">", 1), "multiple items": (">", 1), "one item": ("==", 1), "zero items": ("==", 0),
}  # fmt: skip
AN_ITEM = ("an item with the value of", "an item with the value or", "an item with the value", "the value", "value")
WITH_VALUE = (
    "a value of", "the value of", "a value", "the value", "values of", "value of", "value", "an item value", "of value",
)  # fmt: skip
EQUALS = ("equal to", "equals", "equal", "either", "any of", "one of the following", "have a value of", "a value of")
MODULE = re.compile(
    r"(?:the )?(.+?) (?:Modules?|Functional Groups?(?: Macros?| Modules?)?|Macros?)"
    r"(?: (is|is not|are|are not|exists))?(?: [Pp]resent| included)?$"
)


@dataclass(frozen=True)
class Subject:
    """The attributes that a test is of, how they are joined, and which value."""

    tags: tuple[str, ...]
    joined: str = "and"
    number: int = 0


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
        return self.reading.scope(tag)

    def _each(self, test: Callable[[str], Tree]) -> Tree:
        assert self.subject is not None
        return join(self.subject.joined, *[test(tag) for tag in self.subject.tags])

    def _said(self) -> Tree | None:
        """What is said of the subject."""
        assert self.subject is not None
        number = self.subject.number
        auxiliary = self._any("is", "are", "does", "do", "=")
        if self._any("not present", "absent", "not sent"):
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
        self._any("has", "have", "equals", "equal to", "equal", "set to", "with")
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
                kind, relation = ("and", "!=") if negative else ("or", "==")
                return join(kind, *[("cmp", self._scope(tag), tag, number, relation, int(value)) for value in values])
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


def is_sequence(tag: str) -> bool:
    """Is the attribute a sequence?"""
    return vr_of(tag) == "SQ"


def is_pointer(tag: str) -> bool:
    """Has the attribute tags for values?"""
    return vr_of(tag) == "AT"
