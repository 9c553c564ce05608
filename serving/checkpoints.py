"""Where a checkpoint lies: a directory, or what leads to one, a symbolic link or the registry of `musnad models`.

A registry has its versions in `versions/`, and a link `current` to one of them, which is replaced in one step. Links
are resolved before anything is read, so that all files are of one version.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from model.extractor import CheckpointError, directory_of

#: The link in a registry to the version that should serve, and the directory of all versions.
CURRENT, VERSIONS = "current", "versions"
#: The most links that lead to a checkpoint, one after the other.
_MOST = 20


@dataclass(frozen=True, slots=True)
class Located:
    """A checkpoint's directory, and the state of the links that led there.

    `links` changes with every move of one of them, also where it points to the same again; it is empty without links.
    """

    directory: Path
    links: str = ""


def locate(path: Path) -> Located:
    """Return where `path`, a checkpoint (or the name of one that ships), a registry or a link to either, leads to now.

    A link in the middle of `path` is no such link. Raises CheckpointError for a registry without a current version, or
    links that cannot be followed; a directory that is not there is for the loader to name.
    """
    states: list[str] = []
    place = directory_of(path)
    try:
        while len(states) < _MOST:
            if place.is_symlink():
                state = place.lstat()
                states.append(f"{state.st_ino}:{state.st_mtime_ns}:{place.readlink()}")
                place = place.parent / place.readlink()
            elif _is_registry(place):
                place = place / CURRENT
                if not place.is_symlink():
                    raise CheckpointError(f"{path}: a registry without a current version: promote one")
            else:
                return Located(Path(os.path.realpath(place)) if states else place, " ".join(states))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be followed: {error.strerror}") from None
    raise CheckpointError(f"{path}: cannot be followed: more than {_MOST} links")


def _is_registry(place: Path) -> bool:
    return (place / CURRENT).is_symlink() or ((place / VERSIONS).is_dir() and not (place / "config.json").exists())
