from dicomcore._native.scan.index import Index

Step = tuple[int, int]
Found = tuple[int, int | None, int, tuple[Step, ...], int, int, int]

def findings(
    index: Index,
    *,
    sop_class: int,
    structure: bool,
    notes: bool,
    folds: bool,
    coherence: bool,
    forms: bool,
    counts: bool,
    retired: bool,
    most: int,
    apart: bool = False,
    each: bool = False,
) -> tuple[list[Found], int, str, int]: ...
