"""Files as streams of bytes, decompressed by their name's ending."""

from __future__ import annotations

import gzip
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, cast

import fsspec

from serving.bulk.sources import InputFile


def damage(file: InputFile) -> tuple[type[Exception], ...]:
    """The errors that reading a damaged or cut file raises; others come from the disk or the network."""
    errors: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)
    return (*errors, _zstd().ZstdError) if file.compression == "zst" else errors


@contextmanager
def opened(fs: fsspec.AbstractFileSystem, file: InputFile) -> Iterator[BinaryIO]:
    """The bytes of a file. Raises OSError, while they are read also what `damage` names."""
    with ExitStack() as stack:
        stream = stack.enter_context(fs.open(file.path, "rb"))
        if file.compression == "gz":
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        elif file.compression == "xz":
            stream = stack.enter_context(lzma.LZMAFile(stream))
        elif file.compression == "zst":
            stream = stack.enter_context(_zstd().ZstdFile(stream))
        yield cast(BinaryIO, stream)


# of the libraries for Python before 3.14, this one tells of a stream that ends too early, and reads several in one file
if sys.version_info >= (3, 14):

    def _zstd() -> Any:
        from compression import zstd

        return zstd
else:

    def _zstd() -> Any:
        from backports import zstd

        return zstd
