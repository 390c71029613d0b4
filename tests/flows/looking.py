"""What can be measured of how a page looks: does it fit, can it be read, did the browser complain?"""

from playwright.sync_api import ConsoleMessage, Page, Request

TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 40)}`);
}"""
"""Elements that make the page scroll sideways."""

COLOURS = """
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const ground = (element) => {
    const own = parsed(getComputedStyle(element).backgroundColor);
    if (own[3] > 0.99) return own;
    return over(own, element.parentElement ? ground(element.parentElement) : [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (front, back) => {
    const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
"""
"""What both measures below need: the colour behind an element, and the ratio of two colours."""

HARD_TO_SEE = (
    "() => {"
    + COLOURS
    + """
  return [...document.querySelectorAll("input, select, textarea")]
    .filter((field) => field.type !== "hidden" && field.checkVisibility() && !field.disabled)
    .map((field) => {
      const back = ground(field.parentElement);
      const style = getComputedStyle(field);
      const edge = parseFloat(style.borderTopWidth) ? over(parsed(style.borderTopColor), back) : back;
      return [Math.max(contrast(edge, back), contrast(ground(field), back)), field];
    })
    .filter(([ratio]) => ratio < 3)
    .map(([ratio, field]) => `${ratio.toFixed(2)} ${field.type} ${field.name}`);
}"""
)
"""Fields whose edge has less contrast than WCAG 2.2 asks for at level AA (1.4.11)."""

HARD_TO_READ = (
    "() => {"
    + COLOURS
    + """
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!text || box.width < 2 || box.height < 2 || box.right < 0 || !element.checkVisibility()) continue;
    if (element.closest(":disabled, option, .visually-hidden")) continue;
    const style = getComputedStyle(element);
    const back = ground(element);
    const front = over(parsed(style.color), back);
    const ratio = contrast(front, back);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio >= (isLarge ? 3 : 4.5)) continue;
    found.add(`${ratio.toFixed(2)} ${element.className || element.tagName}: ${text.slice(0, 30)}`);
  }
  return [...found];
}"""
)
"""Texts below the contrast that WCAG 2.2 asks for at level AA (1.4.3), with its formulas for luminance and ratio."""


class Complaints:
    """What the browser complains of while a page is open: errors on its console, refused code, missing files."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("requestfailed", self._note_failed)

    def taken(self) -> list[str]:
        """What was complained of since the last time."""
        taken, self.found = self.found, []
        return taken

    def _note_failed(self, request: Request) -> None:
        # A page that is left while its icon still loads cancels the request: nobody's fault, and no file is missing.
        if request.failure != "net::ERR_ABORTED":
            self.found.append(f"{request.url}: {request.failure}")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(message.text)


def too_wide(page: Page) -> list[str]:
    """Elements that stick out of the window, when it scrolls sideways."""
    found: list[str] = page.evaluate(TOO_WIDE)
    return found


def hard_to_see(page: Page) -> list[str]:
    """Fields whose edge has too little contrast."""
    found: list[str] = page.evaluate(HARD_TO_SEE)
    return found


def hard_to_read(page: Page) -> list[str]:
    """Texts with too little contrast."""
    found: list[str] = page.evaluate(HARD_TO_READ)
    return found
