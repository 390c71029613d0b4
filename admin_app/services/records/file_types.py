"""What a file is by its first bytes; neither its name nor the browser's word for it counts.

The signatures are those of the WHATWG MIME Sniffing standard and of the formats themselves. A type is only ever a label
on a download: nothing that is stored here is shown inside a page of the desk.
"""

from typing import BinaryIO

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
HEAD_BYTES = 4096

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"L\x00\x00\x00\x01\x14\x02\x00",
    b"dex\n",
    b"\x00asm",
)
KNOWN = frozenset({TEXT, "image/webp", *(name for _, name in SIGNATURES)})
"""Everything else goes out as `UNKNOWN`: web pages and drawings with scripts among it."""

_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def head_of(content: BinaryIO) -> bytes:
    """The beginning of a file, which is left where it starts."""
    content.seek(0)
    head = content.read(HEAD_BYTES)
    content.seek(0)
    return head


def is_program(head: bytes) -> bool:
    """Whether a machine would run it. A note that begins with “MZ” is text all the same."""
    return head.startswith(PROGRAMS) and not _is_text(head)


def sniffed(head: bytes) -> str:
    """One of `KNOWN`, or `UNKNOWN`. What begins with `<` is no plain text: somebody's viewer might run it."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    for signature, name in SIGNATURES:
        if head.startswith(signature):
            return name
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return TEXT if begins and not begins.startswith(b"<") and _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; a character that the end of the head cuts in two is forgiven."""
    if not _CONTROLS.isdisjoint(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start > HEAD_BYTES - 4
    return True
