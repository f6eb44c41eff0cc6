"""Which addresses are public, and which spellings of an endpoint are taken."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.alerts.addresses import Policy, is_public
from explorer.alerts.endpoint_url import endpoint_url, is_judged_later
from explorer.alerts.errors import UrlRefused

NOT_PUBLIC_V4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
NOT_PUBLIC_V6 = [
    "::", "::1", "::127.0.0.1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:7f00:1", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1",
    "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254",
    "fdff::1", "::ffff:0:127.0.0.1", "64:ff9a::1", "1::1", "4000::1", "e000::1",
    "fe80::1", "fe80::1%1", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
    "2a00:1450::1", "::ffff:8.8.8.8",
]  # fmt: skip
LOOPBACK = Policy((ip_network("127.0.0.0/8"), ip_network("::1/128")))


@pytest.mark.parametrize("text", NOT_PUBLIC_V4 + NOT_PUBLIC_V6)
def test_not_public(text: str) -> None:
    assert not is_public(ip_address(text))
    assert not Policy().permits(ip_address(text), 443, plain=False)


@pytest.mark.parametrize("text", PUBLIC)
def test_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert Policy().permits(ip_address(text), 443, plain=False)
    assert Policy().permits(ip_address(text), 8443, plain=False)
    for port in (22, 80, 444, 5432, 8080, 0):
        assert not Policy().permits(ip_address(text), port, plain=False)
    assert not Policy().permits(ip_address(text), 443, plain=True)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_gains_nothing_by_being_written_as_ipv6(address: IPv4Address) -> None:
    number = int(address)
    assert is_public(IPv6Address(0xFFFF << 32 | number)) == is_public(address)
    for embedded in (number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, 0x20010000 << 96 | number):
        assert not is_public(IPv6Address(embedded))


def test_what_the_operator_allows_is_permitted_in_every_form() -> None:
    for text in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        for plain in (False, True):
            assert LOOPBACK.permits(ip_address(text), 1234, plain=plain)
    for text in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "::2"):
        assert not LOOPBACK.permits(ip_address(text), 443, plain=False)


TAKEN = [
    "https://notary.example/hook",
    "https://notary.example:8443/hook?token=abc",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]:8443/",
    "https://xn--bcher-kva.example/",
    "HTTPS://Notary.Example/",
]
REFUSED = [
    # schemes
    *("", "notary.example", "//notary.example/", "ftp://notary.example/", "file:///etc/passwd", "gopher://a.example/"),
    *("http://notary.example/", "javascript:alert(1)", "https:notary.example", "https:/notary.example", "https://"),
    # ports
    *("https://notary.example:80/", "https://notary.example:22/", "https://notary.example:0/"),
    *("https://notary.example:99999/", "https://notary.example:-1/", "https://8.8.8.8:8080/"),
    # not public, in their usual form
    *(f"https://{text}/" for text in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0")),
    *(f"https://[{text}]/" for text in ("::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::")),
    *("https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://localhost:8443/hook"),
    *("https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://127.0.0.1:8443/", "http://127.0.0.1/"),
    # short, octal, hexadecimal, decimal
    *("https://127.1/", "https://127.0.1/", "https://0/", "https://2130706433/", "https://017700000001/"),
    *("https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://0X7F000001/", "https://127.0.0.1./"),
    *("https://a.0x1/", "https://1.2.3.4.5/", "https://256.0.0.1/", "https://0x/"),
    # other digits and letters
    *("https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://١٢٧.0.0.1/", "https://bücher.example/", "https://ⓔxample.com/"),
    # userinfo, fragments, spaces, backslashes
    *("https://user@notary.example/", "https://user:password@notary.example/", "https://8.8.8.8@127.0.0.1/"),
    *("https://notary.example#@127.0.0.1/", "https://127.0.0.1\\@notary.example/", "https://notary.example/\r\nX: y"),
    *("https://notary.example /", " https://notary.example/", "https://notary.example/\x00", "https://@notary.example/"),
    *("https://notary.example%00/", "https://[::1", "https://[::1]]/", "https://[not]/", "https://[fe80::1]/"),
    "https://a.example/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("url", TAKEN)
def test_taken(url: str) -> None:
    assert endpoint_url(url, Policy()).startswith("https://")


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        endpoint_url(url, Policy())


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://a.example{text}"):
        try:
            taken = endpoint_url(url, Policy())
        except UrlRefused:
            continue
        assert taken.startswith("https://")


def test_plain_http_and_other_ports_only_where_a_range_is_allowed() -> None:
    for url in (
        *("http://127.0.0.1:9000/hook", "http://receiver.internal:9000/hook", "https://[::1]:9443/"),
        "http://localhost:9000/hook",
    ):
        with pytest.raises(UrlRefused, match="FILPLUS_WEBHOOK_ALLOW"):
            endpoint_url(url, Policy())
        assert endpoint_url(url, LOOPBACK) == url
    with pytest.raises(UrlRefused, match="FILPLUS_WEBHOOK_ALLOW"):
        endpoint_url("http://10.0.0.1/", LOOPBACK)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("https://10.0.0.1/", "10.0.0.1 is no public address; only FILPLUS_WEBHOOK_ALLOW"),
        ("https://localhost/", "127.0.0.1 is no public address"),
        ("http://8.8.8.8/", "write https"),
        ("http://notary.example/", "write https"),
        ("https://notary.example:22/", "port 22 .* use 443 or 8443"),
        ("ftp://notary.example/", "write https://host/path"),
        ("https://n\u043etary.example/", "punycode"),
        ("https://user:geheim@notary.example/", "without user, password"),
        ("https://127.1/", "usual form"),
        ("https://a.example/" + "a" * 2000, "at most 2000 characters"),
    ],
)
def test_a_refusal_names_the_address_and_the_remedy_but_no_password(url: str, remedy: str) -> None:
    with pytest.raises(UrlRefused, match=remedy) as caught:
        endpoint_url(url, Policy())
    assert "geheim" not in str(caught.value)
    assert "geheim" not in str(caught.value.value)
    assert url[:8] in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_later"),
    [
        ("http://example.org/", True),
        ("https://example.org:9000/", True),
        ("https://example.org/", False),
        ("https://example.org:8443/", False),
        ("http://127.0.0.1:9/", False),
        ("http://[::1]:9/", False),
        ("http://hook.localhost:9/", False),
    ],
)
def test_only_of_names_a_look_up_will_tell(url: str, *, is_later: bool) -> None:
    assert is_judged_later(endpoint_url(url, LOOPBACK)) == is_later
