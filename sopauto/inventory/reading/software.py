"""What is installed, what is to be updated, which certificates expire, and settings that hardening sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sopauto.inventory.model import Certificate, Package, Setting, Updates
from sopauto.inventory.reading.answer import Answer, text, text_or_none

MAX_PACKAGES: Final = 10_000
"""A desktop with everything has about 4,000."""
APT: Final = re.compile(r"Inst (\S{1,200}) (?:\[[^\]]{1,200}\] )?\((\S{1,200}) ([^)]{0,300})")
DNF: Final = re.compile(r"\S{1,60}\s+\S{0,20}Sec\.?\s+(\S{1,200})$")


def read_packages(answer: Answer) -> tuple[Package, ...]:
    """Return the installed packages by name."""
    rows = (Package(name=text(name), version=text(version)) for name, version in answer.rows("package", 2))
    return answer.bounded("server.packages", sorted(rows, key=lambda one: (one.name, one.version)), MAX_PACKAGES)


def read_updates(answer: Answer) -> Updates:
    """Return what `apt-get -s upgrade` would install, or which packages dnf lists with security advisories."""
    manager = answer.first("updates")
    if manager is None:
        return Updates(pending=None, security=())
    found = list(_apt(answer))
    security = [package for package, secures in found if secures] + list(_dnf(answer))
    return Updates(
        pending=len(found) if manager == "apt" else None,
        security=answer.bounded("server.updates", sorted(security, key=lambda one: (one.name, one.version))),
    )


def _apt(answer: Answer) -> Iterator[tuple[Package, bool]]:
    for line in answer.lines("apt_update"):
        found = APT.match(line)
        if found:
            yield Package(name=text(found[1]), version=text(found[2])), "-security" in found[3].lower()


def _dnf(answer: Answer) -> Iterator[Package]:
    for line in answer.lines("dnf_security"):
        found = DNF.match(line.strip()[:400])
        if found:
            name, _, version = found[1].rpartition("-")
            name, _, release = name.rpartition("-")
            yield Package(name=text(name), version=text(f"{release}-{version}"))


def read_certificates(answer: Answer) -> tuple[Certificate, ...]:
    """Return the certificates in the order of their files; `notAfter` as openssl writes it becomes ISO 8601."""
    return answer.bounded("server.certificates", _certificates(answer))


def _certificates(answer: Answer) -> Iterator[Certificate]:
    for path, expires, subject in answer.rows("certificate", 3):
        moment = _moment(expires)
        if moment:
            yield Certificate(path=text(path), subject=text_or_none(subject), expires=moment)


def _moment(written: str) -> str | None:
    """Return `Nov 21 09:30:00 2027 GMT` in ISO 8601; None for anything else."""
    try:
        parsed = datetime.strptime(" ".join(written.split()[:4]), "%b %d %H:%M:%S %Y")  # noqa: DTZ007 - UTC, next line
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC).isoformat()


def read_hardening(answer: Answer) -> tuple[Setting, ...]:
    """Return what `sshd -T` and /proc/sys hold, by name."""
    sshd = (line.partition(" ") for line in answer.lines("sshd"))
    found = [Setting(name=f"sshd {text(name)}", value=text(value)) for name, _, value in sshd]
    found += [Setting(name=text(name.replace("/", ".")), value=text(value)) for name, value in answer.rows("sysctl", 2)]
    return answer.bounded("server.hardening", sorted(found, key=lambda one: (one.name, one.value)))
