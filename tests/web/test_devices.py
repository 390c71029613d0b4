"""What a browser says of itself, in words."""

import pytest

from admin_app.web.devices import device_words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/18 Safari/605", "Safari on Mac"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox on Linux"),
        ("curl (Linux)", "A browser on Linux"),
        ("Firefox/140.0", "Firefox"),
        ("", "Unknown device"),
        (None, "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_a_device_has_words(said: str | None, words: str) -> None:
    assert device_words(said) == words
