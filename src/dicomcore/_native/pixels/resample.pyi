from collections.abc import Buffer

def resample(
    src: Buffer,
    height: int,
    width: int,
    samples: int,
    size: int,
    dst: Buffer,
    rows: int,
    columns: int,
    left: float,
    top: float,
    right: float,
    bottom: float,
) -> None: ...
