"""Tests of `serving.feedback`: a package, so that its conftest does not stand for that of `tests/serving`."""
