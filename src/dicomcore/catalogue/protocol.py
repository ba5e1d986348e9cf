"""What every catalogue can do, whether it is live or a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from dicomcore.catalogue.jobs import Jobs
from dicomcore.catalogue.matching import Query
from dicomcore.catalogue.places import FramePlaces
from dicomcore.catalogue.records import Records

__all__ = ["ORDERS", "Catalogue", "Entry", "Page"]

ORDERS = ("arrival", "date", "uid")


class Entry(NamedTuple):
    """An instance of the catalogue: its file, what it is, and where it belongs.

    `path` is a local file, or what an index calls a member of an archive or an object in a store: `Catalogue.source`
    opens either. `size` is in bytes, `arrived` in seconds since 1970; each is 0 where it is not known.
    """

    path: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    study: str = ""
    series: str = ""
    size: int = 0
    frames: int = 1
    arrived: float = 0.0


class Page(NamedTuple):
    """Some rows of a search, and whether there are more behind them."""

    rows: list[dict[str, Any]]
    has_more: bool


class Catalogue(Protocol):
    """The instances that there are, searched by any number of threads at once."""

    is_read_only: bool
    """Whether nothing can be added."""
    jobs: Jobs
    """Work that is done later, and again if it fails."""
    records: Records
    """Documents by kind and key: the state of services."""

    def search(
        self, query: Query, *, limit: int | None = None, offset: int = 0, order: str = "", deep: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Rows of the query's level that match: values by keyword, with those of the levels above.

        Parameters
        ----------
        query : Query
            From `compile_identifier` or `query`.
        limit, offset : int
            At most so many rows, from this one on.
        order : {"arrival", "date", "uid"}
            A stable order: as they came; studies by date, the newest first, series and instances by their numbers; or
            by the unique key of the level.
        deep : bool
            Look into the head of a file of each row for attributes that the catalogue does not keep.

        Raises
        ------
        ValueError
            There is no such level or order.
        """

    def page(self, query: Query, *, limit: int, offset: int = 0, order: str = "date", deep: bool = False) -> Page:
        """Rows as `search` gives them, and whether there are more."""

    def values(self, query: Query, keywords: Sequence[str], *, order: str = "") -> Iterator[Sequence[Any]]:
        """The values of some attributes in the rows that `search` gives, as fast as it goes."""

    def count(self, query: Query) -> int:
        """How many rows match."""

    def entries(self, query: Query) -> Iterator[Entry]:
        """The instances below what matches."""

    def instances(self, *, patient: str = "", study: str = "", series: str = "", instance: str = "") -> list[Entry]:
        """The instances of a patient, a study, a series, or one, by series, instance number and UID.

        What is given has to agree: an instance that lies in another series is not found.
        """

    def has(self, instance: str) -> bool:
        """Whether there is an instance."""

    def source(self, entry: Entry) -> Any:
        """What `dcmread` and `open_source` take to read an instance: a path, or an object with `size` and `read_at`.

        Raises OSError if it is not there.
        """

    def frames(self, entry: Entry) -> FramePlaces:
        """Where the frames of an instance lie in its file; found once, and then kept.

        Raises DicomError if it has no pixel data, or frames that do not begin at bytes.
        """

    def objects(self, sop_classes: Collection[str]) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Instances that belong to no patient, of some SOP classes: what they are, and all their attributes."""

    @property
    def changed(self) -> int:
        """A number that grows with whatever is added or removed."""

    def __len__(self) -> int:
        """The number of instances."""

    def close(self) -> None:
        """Close it."""
