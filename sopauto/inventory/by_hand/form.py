"""The form of a server that no scan reads (Windows, appliances): a person fills it, it becomes a snapshot.

Its keys are Indonesian, as on paper. What a key holds is the whole of it: `perangkat_lunak: []` says that there is
none. A key that is left out, or left empty, says nothing, and nothing is told as gone because of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sopauto.data_file import LineOf, read_document
from sopauto.errors import BadInput
from sopauto.inventory import model
from sopauto.inventory.by_hand.form_values import Capacity, Count, Day, Held, Host, Mac, Memory, Name, Told, listed
from sopauto.inventory.comparing.difference import UNSAID
from sopauto.inventory.reading.answer import MAX_ITEMS
from sopauto.inventory.reading.software import MAX_PACKAGES
from sopauto.procedures.fields import one_line

BLANK: Final = "`inv inventory.blank HOST` writes a form with every key"
LONGEST: Final = 120
"""Characters of a key's place that an error tells."""
PLAIN: Final = {"extra_forbidden": "unknown key", "tuple_type": "is no list", "model_type": "is no mapping"}
"""What pydantic tells in its own words, by its type."""

T = TypeVar("T", bound=Hashable)


def _each_once(items: Sequence[_Named]) -> Sequence[_Named]:
    twice = next((name for name, times in Counter(one.nama for one in items).items() if times > 1), None)
    if twice is not None:
        raise ValueError(f"{twice[:40]!r} stands twice; give each its own `nama`")
    return items


class _Part(BaseModel):
    # Numbers become text: a version 2022 is no count.
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, coerce_numbers_to_str=True)


class _Named(_Part):
    nama: Name


class _Device(_Part):
    merek: Told = None
    model: Told = None
    nomor_seri: Told = None
    tanggal_firmware: Day | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Device:
        if (self.merek is None) != (self.model is None):
            raise ValueError("`merek` and `model` belong together; write both or neither")
        return self


class _Processor(_Part):
    model: Told = None
    soket: Count | None = None
    inti: Count | None = None
    utas: Count | None = None

    @model_validator(mode="after")
    def _possible(self) -> _Processor:
        rising = [count for count in (self.soket, self.inti, self.utas) if count is not None]
        if rising != sorted(rising):
            raise ValueError("there are fewer `utas` than `inti`, or `inti` than `soket`; count those of all sockets")
        return self


class _Disk(_Named):
    ukuran: Capacity
    model: Told = None
    nomor_seri: Told = None


class _System(_Part):
    nama: Told = None
    versi: Told = None
    id: Told = None

    @model_validator(mode="after")
    def _whole(self) -> _System:
        if len({None, self.nama, self.versi, self.id}) > 1 and None in {self.nama, self.versi}:
            raise ValueError("`nama` and `versi` belong together; write both")
        return self


class _Interface(_Named):
    mac: Mac | None = None
    alamat: Annotated[Annotated[tuple[Held, ...], Field(max_length=MAX_ITEMS)] | None, BeforeValidator(listed)] = None


class _Network(_Part):
    nama_host: Told = None
    antarmuka: Annotated[tuple[_Interface, ...], Field(max_length=MAX_ITEMS), AfterValidator(_each_once)]
    gateway: Host | None = None
    dns: Annotated[Annotated[tuple[Host, ...], Field(max_length=MAX_ITEMS)] | None, BeforeValidator(listed)] = None

    @model_validator(mode="after")
    def _somewhere(self) -> _Network:
        # Without one, the drift list would say that the server lost the address of its ticket.
        if not any(one.alamat for one in self.antarmuka):
            raise ValueError("no address is said; write `alamat` of at least one of `antarmuka`")
        return self


class _Software(_Named):
    versi: Name


class _Service(_Named):
    keadaan: Name


class _Certificate(_Part):
    berkas: Name
    subjek: Told = None
    sampai: Day


class Form(_Part):
    """A filled form, as a file holds it. Only an address has to be said; None is what was not said."""

    tanggal: Day | None = None
    perangkat: _Device | None = None
    prosesor: _Processor | None = None
    memori: Memory | None = None
    disk: Annotated[tuple[_Disk, ...], Field(max_length=MAX_ITEMS), AfterValidator(_each_once)] | None = None
    sistem_operasi: _System | None = None
    jaringan: _Network
    perangkat_lunak: Annotated[tuple[_Software, ...], Field(max_length=MAX_PACKAGES)] | None = None
    layanan: Annotated[tuple[_Service, ...], Field(max_length=MAX_ITEMS), AfterValidator(_each_once)] | None = None
    sertifikat: Annotated[tuple[_Certificate, ...], Field(max_length=MAX_ITEMS)] | None = None


def read_form(path: Path, now: datetime) -> model.Snapshot:
    """Return the snapshot that a filled form tells, taken at the end of its day or, when that is today, now.

    Raises: BadInput (a fault of the file, with its line; its day is yet to come).
    """
    data, line_of = read_document(path)
    if not isinstance(data, dict):
        raise BadInput("is no filled form", where=str(path), mend=BLANK)
    try:
        form = Form.model_validate(data)
    except ValidationError as error:
        raise _fault(error, path, line_of) from None
    day = form.tanggal or now.date()
    if day > now.date():
        where = f"{path}:{line_of('tanggal')} tanggal"
        raise BadInput(f"{day} is yet to come", where=where, mend="write the day on which it was seen")
    # At its end, so that what is recorded later of the same day comes after what was recorded on that day.
    return snapshot_of(form, min(datetime.combine(day, time(23, 59, 59), now.tzinfo), now))


def _fault(error: ValidationError, path: Path, line_of: LineOf) -> BadInput:
    """Return the first fault in one line: what is wrong, at which line and key, and how to mend it."""
    first = error.errors()[0]
    what, _, mend = str(first["msg"]).removeprefix("Value error, ").partition("; ")
    what = PLAIN.get(first["type"], what)
    place = one_line(".".join(map(str, first["loc"])), LONGEST)
    return BadInput(what, where=f"{path}:{line_of(*first['loc'])} {place}".strip(), mend=mend or BLANK)


def snapshot_of(form: Form, taken_at: datetime) -> model.Snapshot:
    """Return a form as a snapshot; what it may say and does not stands under `missing`."""
    said = _said(form)
    return model.Snapshot(
        taken_at=taken_at,
        server=_server(form),
        network=_network(form.jaringan),
        missing=tuple(sorted(f"{name}: {model.FORMED}" for name in UNSAID if not said.get(name))),
    )


def _said(form: Form) -> dict[str, bool]:
    """Return what a form says, by the names of `difference.UNSAID`."""
    device, processor = form.perangkat or _Device(), form.prosesor or _Processor()
    system, network = form.sistem_operasi or _System(), form.jaringan
    said: dict[str, object] = {
        "server.vendor": device.merek,
        "server.serial": device.nomor_seri,
        "server.cpu.model": processor.model,
        "server.cpu.cores": processor.inti or processor.utas,
        "server.memory_bytes": form.memori,
        "server.disks": form.disk,
        "server.os": system.nama,
        "server.packages": form.perangkat_lunak,
        "server.services": form.layanan,
        "server.certificates": form.sertifikat,
        "network.host_name": network.nama_host,
        "network.gateway": network.gateway,
        "network.dns": network.dns,
        "network.interfaces.mac": all(one.mac for one in network.antarmuka) or None,
    }
    return {name: value is not None for name, value in said.items()}


def _server(form: Form) -> model.Server:
    device, processor = form.perangkat or _Device(), form.prosesor or _Processor()
    system = form.sistem_operasi or _System()
    packages = _in_order(model.Package(name=one.nama, version=one.versi) for one in form.perangkat_lunak or ())
    return model.Server(
        vendor=device.merek,
        model=device.model,
        serial=device.nomor_seri,
        bios_date=device.tanggal_firmware.isoformat() if device.tanggal_firmware else None,
        cpu=model.Cpu(model=processor.model, sockets=processor.soket, cores=processor.inti, threads=processor.utas),
        memory_bytes=form.memori,
        memory_modules=(),
        disks=tuple(map(_disk, form.disk or ())),
        arrays=(),
        filesystems=(),
        volume_groups=(),
        virtualisation=None,
        os=model.OperatingSystem(name=system.nama, version=system.versi, id=system.id),
        kernel=None,
        architecture=None,
        uptime_seconds=None,
        time=model.Time(offset_seconds=None, synchronised=None),
        packages_count=None if form.perangkat_lunak is None else len(packages),
        packages=packages,
        updates=model.Updates(pending=None, security=()),
        certificates=tuple(map(_certificate, form.sertifikat or ())),
        hardening=(),
        services=tuple(model.Service(name=one.nama, state=one.keadaan) for one in form.layanan or ()),
        listening_ports=(),
        users=(),
    )


def _in_order(packages: Any) -> tuple[model.Package, ...]:
    """Return packages as a scan keeps them: each once, by name, so that their order in the file is no difference."""
    return tuple(sorted(set(packages), key=lambda one: (one.name, one.version)))


def _disk(disk: _Disk) -> model.Disk:
    return model.Disk(name=disk.nama, size_bytes=disk.ukuran, model=disk.model, serial=disk.nomor_seri, rotational=None)


def _certificate(one: _Certificate) -> model.Certificate:
    expires = datetime.combine(one.sampai, time(), UTC).isoformat()
    return model.Certificate(path=one.berkas, subject=one.subjek, expires=expires)


def _network(network: _Network) -> model.Network:
    return model.Network(
        host_name=network.nama_host,
        interfaces=tuple(
            model.Interface(name=one.nama, mac=one.mac, state=None, mtu=None, addresses=_once(one.alamat or ()))
            for one in network.antarmuka
        ),
        gateway=network.gateway,
        dns=_once(network.dns or ()),
        routes=(),
        neighbours=(),
    )


def _once(items: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
