"""Links that must not be followed, by family."""

from __future__ import annotations

# One address of each kind that is not public.
PRIVATE_V4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
    "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.254", "255.255.255.255",
]  # fmt: skip
PRIVATE_V6 = [
    "::", "::1", "::2", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:93.184.215.14", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:c0a8:1::1", "2620:4f:8000::1", "3fff::1",
    "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::a9fe:a9fe",
    "fec0::1", "ff00::1", "ff02::1", "ff05::2", "ffff::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.1", "192.0.1.1",
    "198.17.255.255", "198.20.0.1", "223.255.255.255", "100.63.255.255", "100.128.0.1",
    "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
]  # fmt: skip

# Other ways to write 127.0.0.1 and friends; system resolvers understand most of them.
NUMBERS = [
    "2130706433", "017700000001", "0x7f000001", "0X7F000001", "0177.0.0.1", "0x7f.1", "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1", "127.1", "127.0.1", "127.00.00.01", "127.0.0.01", "127.0.0.001", "0", "00",
    "0x0", "1", "3232235521", "0xc0a80001", "192.168.1", "10.1", "169.16689662", "0xa9fea9fe",
    "2852039166", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "127.0.0.1.",
    "127.0.0.1..", ".127.0.0.1", "127..0.0.1", "127.0.0.1.0", "1.2.3.4.5", "256.0.0.1",
    "127.0.0.256", "4294967296", "0x", "0x.1", "1.0x",
]  # fmt: skip
UNICODE = [
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "еxample.com", "exаmple.com", "münchen.example",
    "example。com", "example.com\u200b", "\u202eexample.com", "faß.de", "K.com",
]  # fmt: skip
SCHEMES = [
    "file:///etc/passwd", "file://localhost/etc/passwd", "ftp://example.com/a.jpg",
    "gopher://example.com:70/_x", "data:image/png;base64,AAAA", "dict://example.com/d:x",
    "jar:http://example.com!/a", "ws://example.com/", "wss://example.com/", "ldap://example.com/",
    "sftp://example.com/", "tftp://example.com/", "smb://example.com/a", "mailto:a@example.com",
    "javascript:alert(1)", "about:blank", "blob:http://example.com/1", "urn:x:y", "httpx://a.com/",
    "ht tp://example.com/", "http//example.com/", "://example.com/", "//example.com/a.jpg",
    "/a.jpg", "a.jpg", "example.com/a.jpg", "http", "http:", "http:/", "http://", "https://",
    "http:host", "http:/example.com/", "http:///example.com/", "http:////example.com/",
    "http:\\\\example.com\\", "view-source:http://example.com/", "netdoc:///etc/passwd",
    "php://filter", "expect://id", "unix:///var/run/docker.sock", "",
]  # fmt: skip
AUTHORITIES = [
    "user@example.com", "user:pass@example.com", "example.com@127.0.0.1", "a@b@example.com",
    "127.0.0.1#@example.com:80@", "example.com\\@127.0.0.1", "127.0.0.1\\@example.com", "@",
    "@example.com", ":@example.com", "example.com:", "exam ple.com", "example.com ", " example.com",
    "exa\tmple.com", "exa\nmple.com", "exa\rmple.com", "example.com\x00", "example.com\x00.jpg",
    "%31%32%37.0.0.1", "127.0.0.1%00", "127.0.0.1%2f", "example.com%2f@127.0.0.1", "example.com.",
    "example..com", ".example.com", "-example.com", "example-.com", "exam_ple.com", "*.example.com",
    "example.com,127.0.0.1", "example.com;127.0.0.1", "example.com|127.0.0.1", "example.com'",
    'example.com"', "example.com<", "[::1", "::1]", "[::1]]", "[[::1]]", "[]", "[:]", "[::1]:80:80",
    "[127.0.0.1]", "[::1%25lo]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[v1.x]", "[::ffff:7f.1]",
    "{example.com}", "$example.com", "~example.com", "exa`mple.com", "a" * 64 + ".com",
    ".".join(["a" * 60] * 5) + ".com",
]  # fmt: skip
LOCAL_NAMES = [
    "localhost", "LOCALHOST", "localhost.", "intranet", "router", "metadata", "db", "redis", "kube",
    "ip6-localhost", "broadcasthost", "host",
]  # fmt: skip
PORTS = ["0", "1", "21", "22", "25", "443", "81", "3306", "6379", "8000", "8080", "11211", "65535",
         "65536", "99999", "-1", "+80", "8O", "0x50", "80 ", "٨٠"]  # fmt: skip
# Names that look public; the resolver's answer is what betrays them.
REBOUND_NAMES = [
    "127.0.0.1.nip.io", "10-0-0-1.sslip.io", "localtest.me", "metadata.google.internal",
    "metadata.azure.internal", "instance-data.ec2.internal", "router.local", "printer.lan",
    "wpad.home.arpa", "localhost.localdomain", "service.consul", "kubernetes.default.svc",
]  # fmt: skip
REST = [
    "http://example.com/a\r\nHost: 127.0.0.1", "http://example.com/a\nX: y",
    "http://example.com/a b", "http://example.com/\x00", "http://example.com/\x7f",
    "http://example.com/a\tb", "http://example.com/\u00a0", "http://example.com\\a",
    "http://example.com/" + "a" * 2030, "http://example.com?" + "a" * 2048,
    "http://example.com/\ud800", " http://example.com/", "http://example.com/ ",
    "\ufeffhttp://example.com/", "http://example.com:80:80/", "http://http://example.com/",
]  # fmt: skip


def families() -> dict[str, list[str]]:
    """Return the links of every family."""
    hosts = [*NUMBERS, *UNICODE, *AUTHORITIES, *LOCAL_NAMES]
    return {
        "private IPv4": [f"http://{a}/a.jpg" for a in PRIVATE_V4],
        "private IPv4 with its port": [f"https://{a}:443/" for a in PRIVATE_V4],
        "private IPv6": [f"http://[{a}]/a.jpg" for a in PRIVATE_V6],
        "odd hosts": [f"http://{host}/a.jpg" for host in hosts],
        "odd hosts, https": [f"https://{host}" for host in hosts],
        "schemes": SCHEMES,
        "ports": [f"http://example.com:{port}/" for port in PORTS],
        "ports, https": ["https://example.com:80/", "https://example.com:8443/"],
        "names that resolve to private": [f"https://{name}/a.jpg" for name in REBOUND_NAMES],
        "the rest": REST,
    }
