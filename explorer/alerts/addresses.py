"""Which network addresses an alert may go to. Pure.

`is_global` is not enough: it is true of ways into IPv4 (NAT64, 6to4), of reserved and future ranges, and of the address
at which one cloud serves its machines' secrets. Of IPv6 only 2000::/3 was ever given out; what is to be kept from in
there is denied, and so is all the rest: mapped and compatible IPv4, NAT64, site-local, segment routing, multicast.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS: Final = frozenset({443, 8443})

_GIVEN_OUT: Final = ip_network("2000::/3")
_DENIED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; one cloud's metadata is in it
        "168.63.129.16/32",  # Azure's platform address, public by its number
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "192.0.0.0/24",  # protocol assignments; one cloud's metadata is in it
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)


def parse_address(text: str) -> Address | None:
    """The address that a text is in its usual form; None for names, and for short, octal and hexadecimal forms."""
    try:
        return ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether it is an address on the public internet. An IPv4-mapped one is judged as the IPv4 address that it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False
    return not any(address in network for network in _DENIED if network.version == address.version)


@dataclass(frozen=True, slots=True)
class Policy:
    """Where alerts may go: to public addresses by https, and to the operator's `allowed` ranges, by http too."""

    allowed: tuple[Network, ...] = ()

    def permits(self, address: Address, port: int, *, plain: bool) -> bool:
        """Whether a connection may be opened there; `plain` without TLS."""
        if self.allows(address):
            return True
        return not plain and port in PORTS and is_public(address)

    def allows(self, address: Address) -> bool:
        """Whether the operator allowed the address, whatever it is."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return self.allows(address.ipv4_mapped)
        return any(address in network for network in self.allowed if network.version == address.version)
