"""RLE, colour, planes, look-up tables and single bits: kernels over samples."""
