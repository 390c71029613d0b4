"""Passwords are looked at a few at a time."""

import re
import threading
from types import SimpleNamespace
from typing import Any, cast

import anyio
from starlette.requests import Request

from admin_app.web import hashing
from tests.support.house import ADMIN_APP, python_files


class TestSlowly:
    async def test_of_many_at_once_only_a_few_are_at_work(self) -> None:
        request = cast("Request", SimpleNamespace(state=SimpleNamespace(desk=SimpleNamespace(hashing=hashing.turns()))))
        at_work, most, lock, too_many = 0, 0, threading.Lock(), threading.Event()
        answers: list[Any] = []

        def look(number: int) -> int:
            nonlocal at_work, most
            with lock:
                at_work += 1
                most = max(most, at_work)
                if at_work > hashing.AT_ONCE:
                    too_many.set()
            too_many.wait(0.2)
            with lock:
                at_work -= 1
            return number

        async def ask(number: int) -> None:
            answers.append(await hashing.slowly(request, look, number))

        async with anyio.create_task_group() as group:
            for number in range(3 * hashing.AT_ONCE):
                group.start_soon(ask, number)
        assert sorted(answers) == list(range(3 * hashing.AT_ONCE))
        assert most <= hashing.AT_ONCE

    def test_no_page_looks_at_a_password_another_way(self) -> None:
        source = "".join(file.read_text() for file in python_files(ADMIN_APP / "web"))
        looks = re.findall(r"(\S+ )passwords\.(?:is_right|hash_password)\b", source)
        assert len(looks) >= 6
        assert {before.strip() for before in looks} == {"slowly(request,"}
