"""Styles, scripts and icons: held in memory, compressed once, and addressed by what is in them.

A page names a file together with a digest of its content (`desk.css?v=3f2a91c0b1d2`), so a browser may keep it for a
year: changed content has another address. Asked for without the digest, or with that of another release, it is sent
all the same, to be asked for again each time.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import sqladmin
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PATH = "/admin/assets"
OURS = Path(__file__).parent / "static"
BORROWED = (Path(sqladmin.__file__).parent / "statics" / "css" / "tabler.min.css",)
"""Of SQLAdmin's own files nothing else is used."""

FOR_A_YEAR = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"
SMALLEST = 512
"""Fewer bytes are not worth compressing."""


@dataclass(frozen=True)
class Asset:
    """One file, as it goes out."""

    content: bytes
    compressed: bytes
    """Empty where that is not smaller."""
    media_type: str
    digest: str


@cache
def all_assets() -> dict[str, Asset]:
    """Every file by its name; read once per process."""
    return {file.name: _read(file) for file in (*sorted(OURS.iterdir()), *BORROWED)}


@cache
def address(name: str) -> str:
    """Where a page finds a file; `KeyError` when there is none of this name."""
    return f"{PATH}/{name}?v={all_assets()[name].digest}"


def accepts_gzip(accepted: str) -> bool:
    """Whether a browser that sent this `Accept-Encoding` takes gzip (RFC 9110, 12.5.3; a weight of 0 means no)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """The file that the rest of the address names; 404 for anything else."""
    request = Request(scope)
    name = scope["path"].removeprefix(f"{PATH}/")
    asset = all_assets().get(name)
    if asset is None:
        raise HTTPException(404)
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
    headers = {
        "Cache-Control": FOR_A_YEAR if asked == [asset.digest] else ASK_AGAIN,
        "ETag": f'W/"{asset.digest}"',
        "Vary": "Accept-Encoding",
    }
    if asset.digest in request.headers.get("if-none-match", ""):
        await Response(status_code=304, headers=headers)(scope, receive, send)
        return
    content = asset.content
    if asset.compressed and accepts_gzip(request.headers.get("accept-encoding", "")):
        content, headers["Content-Encoding"] = asset.compressed, "gzip"
    await Response(content, headers=headers, media_type=asset.media_type)(scope, receive, send)


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    compressed = gzip.compress(content, 9, mtime=0) if len(content) >= SMALLEST else b""
    return Asset(
        content=content,
        compressed=compressed,
        media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        digest=hashlib.sha256(content).hexdigest()[:12],
    )
