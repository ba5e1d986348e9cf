from collections.abc import Buffer

def encode_frame(
    src: Buffer, rows: int, columns: int, samples: int, width: int, precision: int, predictor: int
) -> bytes: ...
