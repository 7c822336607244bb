"""Where a webhook may lead: to the public internet only, to the very address that was judged, never by redirect."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.metrics.webhooks.addresses import NotAllowed, addresses_of, check_url
from services.metrics.webhooks.sending import MOST_READ, Sender
from shared.errors import Invalid
from tests.metrics.receiver import receiving

NOT_PUBLIC = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.9.10",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1",
    "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:a00:1::1", "2002:808:808::1", "3fff::1", "5f00::1",
    "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "193.0.6.139", "2606:4700:4700::1111", "2001:67c:2e8:22::c100:68b")


def known_as(*addresses: str, asked: list[str] | None = None):  # type: ignore[no-untyped-def]
    """A resolver that knows one host."""

    async def resolve(host: str, port: int) -> list[str]:
        if asked is not None:
            asked.append(host)
        return list(addresses)

    return resolve


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_what_is_not_on_the_public_internet_is_refused(address: str) -> None:
    url = httpx.URL("https://tools.example.com/x")
    for answers in ((address,), (address, *PUBLIC), (*PUBLIC, address)):
        with pytest.raises(NotAllowed):
            await addresses_of(url, False, known_as(*answers))
    if "%" not in address:
        literal = f"[{address}]" if ":" in address else address
        with pytest.raises(Invalid):
            check_url(f"https://{literal}/x", private=False)


async def test_the_public_internet_is_allowed() -> None:
    assert await addresses_of(httpx.URL("https://a.example"), False, known_as(*PUBLIC)) == list(PUBLIC)
    for address in PUBLIC:
        check_url(f"https://[{address}]/x" if ":" in address else f"https://{address}/x", private=False)


async def test_a_host_without_an_address_is_refused() -> None:
    for answers in ((), ("not an address",)):
        with pytest.raises(NotAllowed):
            await addresses_of(httpx.URL("https://a.example"), True, known_as(*answers))


async def test_without_https_only_this_machine_is_allowed_and_only_when_it_was_set() -> None:
    url = httpx.URL("http://a.example")
    assert await addresses_of(url, True, known_as("127.0.0.1", "::1")) == ["127.0.0.1", "::1"]
    for answers in (("127.0.0.1", "10.0.0.1"), ("8.8.8.8",), ("10.0.0.1",)):
        with pytest.raises(NotAllowed):
            await addresses_of(url, True, known_as(*answers))
    with pytest.raises(Invalid):
        check_url("http://127.0.0.1/", private=False)
    check_url("http://127.0.0.1/", private=True)
    with pytest.raises(Invalid):
        check_url("http://10.0.0.1/", private=True)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "ip6-localhost"])
async def test_other_ways_to_write_this_machine_lead_nowhere(host: str) -> None:
    sent = await Sender(private=False).send(f"https://{host}:9/", {}, b"{}")
    assert sent.status is None
    assert sent.error is not None
    assert any(reason in sent.error for reason in ("not allowed", "gaierror", "InvalidURL"))


async def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_led() -> None:
    asked: list[str] = []
    async with receiving() as receiver:
        port = httpx.URL(receiver.url).port
        sender = Sender(private=True, resolve=known_as("127.0.0.1", asked=asked))
        sent = await sender.send(f"http://tools.example.com:{port}/x", {}, b"{}")
        await sender.close()
    assert sent.taken
    assert asked == ["tools.example.com"]
    assert receiver.came[0].headers["host"] == f"tools.example.com:{port}"


async def test_a_name_that_changes_its_mind_is_judged_at_every_delivery() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.1", "10.0.0.1"]])

    async def resolve(host: str, port: int) -> list[str]:
        return next(answers)

    async with receiving() as receiver:
        port = httpx.URL(receiver.url).port
        sender = Sender(private=True, resolve=resolve)
        sent = [await sender.send(f"http://tools.example.com:{port}/x", {}, b"{}") for _ in range(2)]
        await sender.close()
    assert [each.taken for each in sent] == [True, False]
    assert len(receiver.came) == 1


async def test_an_address_that_does_not_answer_gives_way_to_the_next() -> None:
    async with receiving() as receiver:
        port = httpx.URL(receiver.url).port
        sender = Sender(private=True, resolve=known_as("127.0.0.2", "127.0.0.1"))
        sent = await sender.send(f"http://tools.example.com:{port}/x", {}, b"{}")
        await sender.close()
    assert sent.taken


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    async with receiving() as inside, receiving(lambda received: status) as receiver:
        receiver.more_headers = f"Location: {inside.url}\r\n"
        sender = Sender(private=True)
        sent = await sender.send(receiver.url, {}, b"{}")
        await sender.close()
    assert sent.error == f"answered {status}; redirects are not followed"
    assert inside.came == []


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with receiving() as receiver:
        sender = Sender(private=True)
        assert (await sender.send(receiver.url, {}, b"{}")).taken
        await sender.close()


@pytest.fixture
async def endless() -> AsyncIterator[tuple[str, list[int]]]:
    """A receiver that never stops answering, and how much it could send."""
    sent = [0]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                sent[0] += 65536
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", sent
    server.close()


async def test_of_an_endless_answer_little_is_read(endless: tuple[str, list[int]]) -> None:
    url, wrote = endless
    sender = Sender(private=True, seconds=5)
    sent = await sender.send(url, {}, b"{}")
    await sender.close()
    assert sent.taken
    assert sent.seconds < 4
    # What the system's buffers took does not count.
    assert wrote[0] < 100 * MOST_READ


def certificate(folder: Path, name: str) -> Path:
    """A certificate for a host, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_the_certificate_must_be_for_the_name_though_the_connection_goes_to_an_address(tmp_path: Path) -> None:
    path = certificate(tmp_path, "tools.example.com")
    served, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context(cafile=path)
    served.load_cert_chain(path)
    names: list[str | None] = []
    served.sni_callback = lambda connection, name, context: names.append(name)
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n{}"))
            writer.write(b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    sender = Sender(private=True, resolve=known_as("127.0.0.1"), trust=trusted)
    right = await sender.send(f"https://tools.example.com:{port}/x", {}, b"{}")
    wrong = await sender.send(f"https://other.example.com:{port}/x", {}, b"{}")
    strict = Sender(private=True, resolve=known_as("127.0.0.1"))
    unknown = await strict.send(f"https://tools.example.com:{port}/x", {}, b"{}")
    await sender.close()
    await strict.close()
    server.close()
    assert right.taken, right
    assert names[0] == "tools.example.com"
    assert f"Host: tools.example.com:{port}".encode() in heads[0]
    assert not wrong.taken
    assert "CERTIFICATE_VERIFY_FAILED" in str(wrong.error)
    assert "CERTIFICATE_VERIFY_FAILED" in str(unknown.error)
    assert len(heads) == 1
