"""Other processors and systems, tried on a Linux machine: run by QEMU (`foreign`), or compiled (`compiled`)."""
