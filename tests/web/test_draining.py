"""Hearing that the process has been asked to stop."""

import os
import signal
import subprocess
import sys
import threading

from admin_app.web import draining

BY_DEFAULT = """
import os, signal
from admin_app.web import draining
with draining.heard(lambda: print("heard", flush=True)):
    os.kill(os.getpid(), signal.SIGTERM)
print("not reached")
"""


class TestHeard:
    def test_the_handler_before_ours_still_runs_and_is_put_back(self) -> None:
        seen: list[str] = []
        before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append("the server's"))
        try:
            with draining.heard(lambda: seen.append("ours")):
                os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)
        assert seen == ["ours", "the server's", "the server's"]

    def test_a_signal_that_would_end_the_process_does(self) -> None:
        ended = subprocess.run([sys.executable, "-c", BY_DEFAULT], capture_output=True, text=True, check=False)
        assert (ended.stdout, ended.returncode) == ("heard\n", -signal.SIGTERM)

    def test_one_that_is_ignored_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            with draining.heard(lambda: None):
                os.kill(os.getpid(), signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_thread_hears_nothing_and_changes_nothing(self) -> None:
        handler = signal.getsignal(signal.SIGTERM)

        def in_a_thread() -> None:
            with draining.heard(lambda: None):
                assert signal.getsignal(signal.SIGTERM) is handler

        thread = threading.Thread(target=in_a_thread)
        thread.start()
        thread.join()
