"""What the headers of every answer must say, errors of the web server itself included."""

from collections.abc import Mapping, Sequence

EXACTLY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
DOWNLOAD_POLICY = {
    "default-src": "'none'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "sandbox": "",
}
TURNED_OFF = ("camera", "geolocation", "microphone", "payment", "usb")
ONE_YEAR = "max-age=31536000; includeSubDomains"
NOT_STORED, STORED = "no-store", "public, no-cache"


def faults_in(headers: Mapping[str, Sequence[str]], *, is_asset: bool = False, is_https: bool = False) -> list[str]:
    """What is wrong with these headers, name in small letters → values; nothing when they are as promised."""
    wanted = {**EXACTLY, "cache-control": STORED if is_asset else NOT_STORED}
    faults = [
        f"{name}: {headers.get(name)}" for name, value in wanted.items() if list(headers.get(name, [])) != [value]
    ]
    policies = headers.get("content-security-policy", [])
    parts = {part.split()[0]: " ".join(part.split()[1:]) for part in ";".join(policies).split(";") if part.strip()}
    if len(policies) != 1 or "unsafe" in policies[0]:
        faults.append(f"content-security-policy: {policies}")
    is_download = headers.get("content-disposition", [""])[0].startswith("attachment")
    policy = DOWNLOAD_POLICY if is_download else POLICY
    faults += [f"{part} of the policy" for part, value in policy.items() if parts.get(part) != value]
    turned_off = "".join(headers.get("permissions-policy", []))
    faults += [f"{feature} is not turned off" for feature in TURNED_OFF if f"{feature}=()" not in turned_off]
    if list(headers.get("strict-transport-security", [])) != ([ONE_YEAR] if is_https else []):
        faults.append(f"strict-transport-security: {headers.get('strict-transport-security')}")
    return faults + [f"{name} tells too much" for name in ("server", "x-powered-by") if name in headers]
