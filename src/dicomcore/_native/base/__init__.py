"""What every kernel stands on: bounded loads, VRs, text, numbers, byte swapping, files, faults, dictionaries."""
