"""Files as streams of bytes, decompressed by their name's ending."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, cast

import fsspec

from serving.bulk.sources import InputFile, is_local, message_of

#: Bytes that are taken at a time from a file of a store, which has buffers of its own.
_BUFFER = 256 * 1024
#: Bytes that a store is asked for at a time; by default S3 is asked for 50 MiB, and two of these are held.
_BLOCK = 8 * 1024 * 1024


def damage(file: InputFile) -> tuple[type[Exception], ...]:
    """The errors that reading a damaged or cut file raises; others come from the disk or the network."""
    errors: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)
    return (*errors, _zstd().ZstdError) if file.compression == "zst" else errors


class _Remote(io.RawIOBase):
    """A file of a store, whatever of whose errors is an OSError with a number: no damage of the file."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def tell(self) -> int:
        return int(self._stream.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._stream.readinto(buffer))
        except Exception as error:
            raise OSError(errno.EIO, message_of(error)) from error


@contextmanager
def opened(fs: fsspec.AbstractFileSystem, file: InputFile) -> Iterator[BinaryIO]:
    """The bytes of a file. Raises OSError, while they are read also what `damage` names."""
    with ExitStack() as stack:
        stream = stack.enter_context(fs.open(file.path, "rb", block_size=_BLOCK))
        if not is_local(fs):
            stream = io.BufferedReader(_Remote(stream), _BUFFER)
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
