"""A certificate of one's own, for HTTPS without anyone else: browsers warn of it once, and go on.

It is kept, so that a phone on which the warning was passed does not see it again at each start.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stylizer.errors import SinkError
from stylizer.io.atomic import temporary_path

__all__ = ["certificate_file", "own_addresses"]

_DAYS = 397
"""Browsers take no more (CA/Browser Forum, baseline requirements 6.3.2)."""
_LEAST_DAYS = 7


def own_addresses() -> list[str]:
    """Return the addresses under which other machines may reach this one, the usual one first."""
    found: list[str] = []
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((target, 9))  # chooses an address; nothing is sent
            found.append(asking.getsockname()[0])
    with suppress(OSError):
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)]
    known = dict.fromkeys(address.partition("%")[0] for address in found)
    return [address for address in known if not _is_useless(address)]


def certificate_file(names: Sequence[str], *, folder: Path | None = None) -> Path:
    """Return a file (PEM) with a certificate and its key; a new one where the old does not do.

    Args:
      names: addresses and names that it is to be for.
      folder: where it is kept; None for the user's own.

    Raises:
      SinkError: it cannot be written.
    """
    kept = folder or platformdirs.user_data_path("stylizer", appauthor=False) / "web"
    path = kept / "certificate.pem"
    wanted = dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), *names])
    if _does(path, wanted):
        return path
    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary_path(path, overwrite=True) as temporary:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(_make(list(wanted)))
            temporary.chmod(0o600)
    except OSError as error:
        raise SinkError(f"{path}: the certificate cannot be kept ({error.strerror})") from error
    return path


def _does(path: Path, wanted: dict[str, None]) -> bool:
    """Whether a file holds a certificate that is for all of these, and for some time to come."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = {str(name.value) for name in names}
    ends = certificate.not_valid_after_utc
    return wanted.keys() <= known and ends > datetime.now(UTC) + timedelta(days=_LEAST_DAYS)


def _make(names: Sequence[str]) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stylizer on this machine")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_named(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_useless(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified
