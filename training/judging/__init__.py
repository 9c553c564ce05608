"""Judging checkpoints and annotators: significance, errors, agreement, reports, and the registry of versions."""
