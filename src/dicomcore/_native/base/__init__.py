"""The foundations of every kernel: bounded loads, VRs, text, numbers, byte swapping, files, faults, dictionaries."""
