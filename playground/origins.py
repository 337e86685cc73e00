"""Who asks: the names that this server answers to, other sites' pages, and the peer's address.

What a proxy says (X-Forwarded-*) counts only on a Space, or where PLAY_PROXY gives the number of
proxies in front of this server.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
DATA = "/gradio_api/"  # what other sites' pages may not read; PLAY lies under it
FOREIGN = ("cross-site", "same-site")


def allowed_hosts(host: str | None, share: bool = False) -> frozenset[str]:
    """Return the names that a Host header may carry, for a server bound to `host`.

    A name that begins with "." stands for all its subdomains; "ip" for any address literal.
    """
    names = set(LOCAL_NAMES)
    bound = (host or "").strip("[]").lower()
    if bound in ("0.0.0.0", "::"):
        # An address literal can't be the name that a rebinding attack needs.
        own = socket.gethostname().lower()
        names |= {"ip", own, f"{own}.local"}
    elif bound:
        names.add(bound)
    space = os.environ.get("SPACE_HOST", "").lower()
    if space:
        names |= {space, "ip"}
    if share:
        names.add(".gradio.live")
    names |= {n.strip().lower() for n in os.environ.get("PLAY_HOSTS", "").split(",") if n.strip()}
    return frozenset(names)


def is_local(host: str | None, share: bool = False) -> bool:
    """Whether only people at this machine can reach a server bound to `host`."""
    if share or os.environ.get("SPACE_HOST") or os.environ.get("PLAY_HOSTS"):
        return False
    return (host or "127.0.0.1").strip("[]").lower() in LOCAL_NAMES


def proxies() -> int:
    """Return how many proxies are believed; -1 on a Space, where their number is not known."""
    text = os.environ.get("PLAY_PROXY", "")
    if text.isdecimal() and int(text) <= 16:
        return int(text)
    return -1 if os.environ.get("SPACE_HOST") else 0


class Origins:
    """Tell own requests from those of other web sites."""

    def __init__(self, hosts: Iterable[str], proxies: int = 0) -> None:
        self.hosts, self.proxies = frozenset(hosts), proxies

    def knows(self, host: str, literals: bool = True) -> bool:
        """Whether the name is one of ours."""
        if host in self.hosts:
            return True
        if any(n.startswith(".") and host.endswith(n) for n in self.hosts):
            return True
        if not literals or "ip" not in self.hosts:
            return False
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True

    def asked_for(self, headers: Mapping[str, str]) -> str:
        """Return the host and port that the browser asked, as far as it is known."""
        host = headers.get("host", "")
        if self.proxies:
            forwarded = headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
            return (forwarded or host).lower()
        return host.lower()

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Return the key of the sentence with which a request is refused, if it is."""
        host = self.asked_for(headers)
        if not self.knows(hostname(host)):
            return "security.host"
        site = headers.get("sec-fetch-site", "")
        origin = headers.get("origin")
        ours = origin is None or self._own(origin, host)
        if method not in SAFE_METHODS:
            return None if ours and site != "cross-site" else "security.other_site"
        if not path.startswith(DATA):
            return None  # the page itself, which may be linked to and stand in a frame
        shown = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in (
            "document",
            "iframe",
        )
        foreign = site in FOREIGN and not shown
        return "security.other_site_read" if foreign or not ours else None

    def _own(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` is ours: asked here, or under a public name of ours."""
        try:
            parts = urlsplit(origin)
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        public = port is None and name not in LOCAL_NAMES and self.knows(name, False)
        return parts.netloc.lower() == host or public

    def peer(self, client: tuple[str, int] | None, headers: Mapping[str, str]) -> str:
        """Return the address that asks, as far as proxies can be believed; IPv6 by its network."""
        address = client[0] if client else ""
        chain = [part.strip() for part in headers.get("x-forwarded-for", "").split(",")]
        if self.proxies > 0 and len(chain) >= self.proxies:
            address = chain[-self.proxies] or address
        elif self.proxies < 0:
            address = next((part for part in reversed(chain) if _is_public(part)), address)
        return network(address)


def hostname(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def network(address: str) -> str:
    """Return an address as one key: an IPv6 household has 2**64 of them."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    mapped = parsed.ipv4_mapped  # type: ignore[union-attr]
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
