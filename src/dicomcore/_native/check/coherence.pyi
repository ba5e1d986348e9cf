from dicomcore._native.scan.index import Index

Step = tuple[int, int]
Found = tuple[int, int | None, int, tuple[Step, ...], int, int, int]

def findings(index: Index, *, coherence: bool, texts: bool, most: int) -> tuple[list[Found], int, str]: ...
