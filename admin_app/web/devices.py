"""What a browser says of itself, in words that its owner recognises."""

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str | None) -> str:
    """`Firefox on Windows`; the order of the lists matters, because browsers name each other."""
    text = user_agent or ""
    browser = next((name for sign, name in BROWSERS if sign in text), "")
    system = next((name for sign, name in SYSTEMS if sign in text), "")
    if not browser and not system:
        return "Unknown device"
    return " on ".join(word for word in (browser or "A browser", system) if word)
