"""dicomcore in pydicom's place, measured: on pydicom's own tests and on public programs."""
