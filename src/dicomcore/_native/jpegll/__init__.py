"""JPEG Lossless, Non-Hierarchical (T.81 Annex H), decoded and encoded."""
