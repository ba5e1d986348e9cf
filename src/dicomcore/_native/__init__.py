"""Typed Cython kernels and the wrappers over them; imports nothing of the façade but its errors."""
