"""Segmentations, structure sets, presentation states, documents, waveforms, concatenations."""
