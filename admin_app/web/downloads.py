"""Files on their way out: always to the disk, never into a page."""

from urllib.parse import quote

from admin_app.services.records.file_types import KNOWN, UNKNOWN


def as_download(filename: str) -> dict[str, str]:
    """The header that makes a browser save it under this name (RFC 6266, with the name as RFC 8187 has it)."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}"}


def label(content_type: str) -> str:
    """The type that a stored file goes out with; what we do not know is bytes."""
    return content_type if content_type in KNOWN else UNKNOWN
