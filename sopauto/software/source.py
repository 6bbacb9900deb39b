"""The files that a software comes from, beside its entry: checksum, signature and content, before anything is sent."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from sopauto.errors import BadInput
from sopauto.journal.sshsig import BadSignatureError, verify
from sopauto.software.shelf import Entry, Shelf
from sopauto.work import Json

FOLDER: Final = "roles/software/files"
NAMESPACE: Final = "file"
"""Of `ssh-keygen -Y sign`."""
MOST_MEMBERS: Final = 100_000
MOST_UNPACKED: Final = 4 << 30
"""Bytes of everything in an archive."""


def source_files(shelf: Shelf, parameters: Json) -> Mapping[str, bytes]:
    """Return the files as the role finds them; raises BadInput (checksum, signature, or what an archive holds)."""
    return dict(_files(shelf.get(str(parameters["software"]))))


def check_source(entry: Entry) -> None:
    """Check every file that an entry's software comes from; raises BadInput."""
    for _ in _files(entry):
        pass


def _files(entry: Entry) -> Iterator[tuple[str, bytes]]:
    source = entry.software.source
    for number, wanted in enumerate(source.package_files):
        yield f"{FOLDER}/package-{number}.deb", entry.content(wanted.file, wanted.sha256)
    if source.archive is None:
        return
    content = entry.content(source.archive.file, source.archive.sha256)
    where = str(entry.folder / source.archive.file)
    _refuse_unsigned(content, entry, where)
    refuse_unsafe(content, where)
    yield f"{FOLDER}/archive.tar.gz", content
    for unit in source.archive.units:
        yield f"{FOLDER}/units/{PurePosixPath(unit).name}", entry.text(unit).encode()


def _refuse_unsigned(content: bytes, entry: Entry, where: str) -> None:
    archive = entry.software.source.archive
    assert archive is not None
    signature, faults = entry.text(archive.signature), []
    for signer in archive.signers:
        try:
            return verify(content, signature, signer, namespace=NAMESPACE)
        except BadSignatureError as error:
            faults.append(str(error))
    raise BadInput(f"none of its signers signed it ({faults[0]})", where=where, mend="ask its maker for the signature")


def refuse_unsafe(content: bytes, where: str) -> None:
    """Refuse an archive that would write outside of its directory, or too much; raises BadInput."""
    size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for number, member in enumerate(archive):
                fault = _fault(member)
                size += member.size
                if number > MOST_MEMBERS or size > MOST_UNPACKED:
                    fault = "more than can be unpacked"
                if fault:
                    raise BadInput(f"holds {fault}", where=where, mend="nothing was sent; ask its maker")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadInput(f"is no .tar.gz ({error})", where=where, mend="fetch it again") from None


def _fault(member: tarfile.TarInfo) -> str | None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        return f"the path {member.name[:80]!r}, which leads out of its directory"
    if member.issym() or member.islnk():
        target = PurePosixPath(member.linkname)
        if target.is_absolute() or ".." in target.parts:
            return f"the link {member.name[:80]!r}, which leads out of its directory"
    elif not (member.isfile() or member.isdir()):
        return f"{member.name[:80]!r}, which is neither file nor directory"
    return f"{member.name[:80]!r}, which runs with other rights" if member.mode & 0o6000 else None
