"""`make export-1000000`: how long an export takes, what it takes of the worker, and what others notice of it.

BENCH_ROWS tickets (1,000,000), BENCH_DATABASES, EXPORT_FORMATS (csv,jsonl).
"""

import asyncio
import hashlib
import os
import re
import time
from pathlib import Path

import httpx

from tests.benchmarks import data
from tests.benchmarks.__main__ import chosen, serving
from tests.benchmarks.measuring import cookies_for
from tests.benchmarks.pages import DESK

PATH = "/admin/ticket/export"
PAUSE_SECONDS = 0.02
LONGEST_SECONDS = 1800.0


def process_of(port: int) -> Path:
    """Where the kernel tells of the process that serves at this port."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "tests.benchmarks.serving" in words and str(port) in words:
            return folder
    raise AssertionError("nobody serves there")


def megabytes(process: Path) -> float:
    """Memory that is resident now."""
    return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Others:
    """Somebody who looks at a small page again and again, and at the server's memory."""

    def __init__(self, client: httpx.AsyncClient, process: Path) -> None:
        self.client = client
        self.process = process
        self.waits: list[float] = []
        self.most = 0.0

    async def look(self) -> None:
        """Until cancelled, or an export takes longer than any may."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            started = time.perf_counter()
            (await self.client.get("/health/live")).raise_for_status()
            self.waits.append(1000 * (time.perf_counter() - started))
            self.most = max(self.most, megabytes(self.process))
            await asyncio.sleep(PAUSE_SECONDS)

    def said(self) -> str:
        """The 99th percentile and the longest wait."""
        waits = sorted(self.waits)
        return f"{waits[int(0.99 * (len(waits) - 1))]:.0f} ms, longest {waits[-1]:.0f} ms of {len(waits)}"


async def export(port: int, file_format: str) -> str:
    """One export, told in a line."""
    base, process = f"http://127.0.0.1:{port}", process_of(port)
    cookies = await cookies_for(DESK, port)
    async with httpx.AsyncClient(base_url=base, cookies=cookies, timeout=600) as client:
        page = await client.get(PATH)
        [token] = set(re.findall(r'name="form_token" value="([^"]+)"', page.text)[:1])
        form = {"form_token": token, "confirm_password": data.PASSWORD}
        headers = {"Origin": base}
        asked = await client.post(PATH, data={**form, "format": file_format, "query": ""}, headers=headers)
        number = re.findall(r"\d+", asked.headers["location"])[0]
        others = Others(client, process)
        before, digest, size, first = megabytes(process), hashlib.sha256(), 0, 0.0
        looking = asyncio.create_task(others.look())
        started = time.perf_counter()
        way = f"{PATH}/download/{number}"
        async with client.stream("POST", way, data=form, headers=headers) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                first = first or time.perf_counter() - started
                digest.update(piece)
                size += len(piece)
        seconds = time.perf_counter() - started
        looking.cancel()
        side = (await client.get(f"{PATH}/checksum/{number}")).text
    assert digest.hexdigest() in side, "the file is not what its checksum says"
    rows = side.split("\n", 1)[0]
    return (
        f"{file_format}: {rows}, {size / 1e6:.0f} MB in {seconds:.1f} s; first byte {first:.2f} s; "
        f"memory {others.most - before:+.0f} MB; another request meanwhile: p99 {others.said()}"
    )


def main() -> None:
    """Each kind of file on each database."""
    rows = int(os.environ.get("BENCH_ROWS", "1000000"))
    with data.postgresql_server() as server:
        for dialect in chosen("BENCH_DATABASES", "postgresql,sqlite"):
            url = data.seeded(dialect, rows, server)
            for file_format in chosen("EXPORT_FORMATS", "csv,jsonl"):
                with serving(DESK, url) as port:
                    load = os.getloadavg()[0]
                    print(f"{dialect}, load {load:.1f}, {asyncio.run(export(port, file_format))}", flush=True)


if __name__ == "__main__":
    main()
