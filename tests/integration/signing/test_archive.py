"""A ticket's archive before an auditor who has nothing but stock tools: each fault is a line, none is silent."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sopauto.drivers.signing import SshKeygenSigner
from sopauto.journal.anchor import NAMESPACE as ANCHORS
from sopauto.journal.anchor import Anchor, Mark, write_anchor
from sopauto.journal.entry import Entry, Signed, compose_body
from sopauto.journal.export import SCRIPT, Closing, archive
from sopauto.journal.verify import ZERO
from sopauto.people import People, load_people
from sopauto.work import sha256

AT = datetime(2026, 11, 23, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
TICKET = "PS-2026-0001"
HOSTILE = "../../../etc/pass wd\n;rm -rf $HOME `id` \u202e.sh"
PAPERS = {
    "surat.pdf": b"%PDF",
    HOSTILE: b"hostile",
    "rencana.json": b"{}",
    "Rencana.JSON": b"[]",
    "-rf": b"",
    "\u00e9": b"e",
}
SHELLS = [["dash"], ["busybox", "sh"], ["sh"]]
Sign = Callable[[bytes], Signed]


def wire(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


class SecurityKey:
    """A FIDO key in software: what OpenSSH's own would sign, touched or not."""

    KIND = b"sk-ssh-ed25519@openssh.com"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.flags = 0x01

    @property
    def blob(self) -> bytes:
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return wire(self.KIND, raw, b"ssh:")

    @property
    def public(self) -> str:
        return f"{self.KIND.decode()} {base64.b64encode(self.blob).decode()}"

    def sign(self, message: bytes, namespace: bytes = b"sopauto") -> Signed:
        wrapped = b"SSHSIG" + wire(namespace, b"", b"sha512", hashlib.sha512(message).digest())
        behind = bytes([self.flags]) + struct.pack(">I", 7)
        told = hashlib.sha256(b"ssh:").digest() + behind + hashlib.sha256(wrapped).digest()
        inner = wire(self.KIND, self._key.sign(told)) + behind
        whole = b"SSHSIG" + struct.pack(">I", 1) + wire(self.blob, namespace, b"", b"sha512", inner)
        text = base64.encodebytes(whole).decode()
        armored = f"-----BEGIN SSH SIGNATURE-----\n{text}-----END SSH SIGNATURE-----\n"
        return Signed(signature=armored, key=self.public)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("keys")
    for name in ("siti", "joko"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / name], check=True)
    return {name: home / name for name in ("siti", "joko")}


def public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def signer(keys: dict[str, Path], person: str, namespace: str = "sopauto") -> SshKeygenSigner:
    key = keys[person]
    return SshKeygenSigner(person=person, allowed=[public(key)], key=key, namespace=namespace)


def staff(folder: Path, keys: dict[str, str]) -> People:
    """Return people with these public keys."""
    holds = [{"jabatan": "kadis", "unit": "kominfo", "sejak": "2020-01-01"}]
    persons = [
        {
            "id": name,
            "nama": name.title(),
            "nip": f"19870312201012{number:04}",
            "email": f"{name}@example.go.id",
            "kunci": [{"publik": key, "sejak": "2026-01-01"}],
            "memegang": holds,
        }
        for number, (name, key) in enumerate(keys.items())
    ]
    units = [{"id": "kominfo", "nama": "Kominfo"}]
    path = folder / "people.json"
    path.write_text(json.dumps({"jabatan": [{"id": "kadis", "nama": "Kadis"}], "unit": units, "orang": persons}))
    return load_people(path)


def journal(sign: Sign, *, papers: dict[str, bytes], count: int = 4, person: str = "siti") -> list[Entry]:
    """Return a signed journal; the third entry carries the papers."""
    made: list[Entry] = []
    for number in range(1, count + 1):
        prev = made[-1].digest if made else ZERO
        body = compose_body(
            ticket=TICKET,
            number=number,
            prev=prev,
            at=AT + timedelta(minutes=number),
            person=person,
            position="kadis",
            verb="done",
            step=f"satu.{number}",
            to=f"satu.{number + 1}",
            note=f'"prev":"{ZERO}","person":"joko" ],"note":"',
            data={"documents": [{"sha256": ZERO}], "number": 99, "person": "joko", "prev": ZERO},
            documents=[{"name": name, "sha256": sha256(paper)} for name, paper in papers.items() if number == 3],
            procedure="0" * 64,
            plan=None,
            order=None,
        )
        signed = sign(body)
        made.append(
            Entry(ticket=TICKET, number=number, prev=prev, body=body, signature=signed.signature, key=signed.key)
        )
    return made


def mark(entries: list[Entry]) -> Mark:
    last = entries[-1]
    return Mark(ticket=TICKET, opening=entries[0].digest, entries=last.number, head=last.digest, row="satu.5")


def anchor(entries: list[Entry], person: str | None = None, *others: Mark) -> Anchor:
    return Anchor(at=AT, person=person, openings=entries[0].digest, people=None, marks=(*others, mark(entries)))


def unpacked(content: bytes, to: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(to, filter="data")
    return to / TICKET


@pytest.fixture
def entries(keys: dict[str, Path]) -> list[Entry]:
    return journal(signer(keys, "siti").sign, papers=PAPERS)


@pytest.fixture
def people(keys: dict[str, Path], tmp_path: Path) -> People:
    return staff(tmp_path, {name: public(key) for name, key in keys.items()})


@pytest.fixture
def folder(entries: list[Entry], people: People, tmp_path: Path) -> Path:
    """An unpacked archive that nobody closed with a signature."""
    documents = {sha256(paper): paper for paper in PAPERS.values()}
    closing = Closing(anchor=anchor(entries))
    return unpacked(archive(entries, documents=documents, people_of=lambda _: people, closing=closing), tmp_path)


def check(folder: Path, *arguments: str | Path, shell: list[str] | None = None) -> tuple[int, list[str]]:
    """Run the archive's own script; return its exit code and its lines."""
    command = [*(shell or ["sh"]), str(folder / "periksa.sh"), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = (ended.stdout + ended.stderr).splitlines()
    assert (ended.returncode == 0) == any("lampiran utuh" in line for line in lines), lines
    assert (ended.returncode == 0) == (not faults(lines)), lines
    return ended.returncode, lines


def faults(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("SALAH")]


def listed_anew(folder: Path) -> None:
    """Make the list of digests anew, as somebody does who changed a file."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256((folder / name).read_bytes())}  {name}\n" for name in names if name.name != "SHA256SUMS"]
    (folder / "SHA256SUMS").write_text("".join(lines))


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_it_holds_in_each_shell_and_tells_how_many_entries_and_where_they_end(
    folder: Path, entries: list[Entry], shell: list[str], need: Callable[[str], str]
) -> None:
    need(shell[0])
    code, lines = check(folder, shell=shell)
    assert code == 0
    assert (
        lines[0]
        == f"Tiket {TICKET}: 4 entri; yang terakhir done pada satu.4 oleh siti, {AT.replace(minute=4).isoformat()}"
    )
    assert "Keadaan menurut entri terakhir: satu.5" in lines
    assert f"Kepala (sha256sum entri terakhir): {entries[-1].digest}" in lines
    readme = (folder / "BACA-SAYA.txt").read_text()
    assert "4 entri; entri terakhir: done pada satu.4 oleh siti" in readme
    assert entries[-1].digest in readme


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_missing_entry_is_a_line_and_the_rest_is_checked(
    folder: Path, shell: list[str], need: Callable[[str], str]
) -> None:
    need(shell[0])
    (folder / "entri" / "0002.json").unlink()
    (folder / "entri" / "0004.json.sig").write_text("no signature")
    listed_anew(folder)
    code, lines = check(folder, shell=shell)
    assert code == 1
    assert faults(lines) == [
        "SALAH: entri/0002.json: entri ini tidak ada",
        "SALAH: entri/0003.json: tidak menyambung ke entri sebelumnya",
        "SALAH: entri/0004.json: tanda tangan siti tidak berlaku",
    ]
    assert lines[-1] == "TIDAK UTUH: 3 kesalahan"


def cut(folder: Path) -> None:
    for name in ("0004.json", "0004.json.sig"):
        (folder / "entri" / name).unlink()
    listed_anew(folder)


def test_a_cut_end_shows_against_what_the_archive_says_of_its_end(folder: Path) -> None:
    cut(folder)
    _, lines = check(folder)
    assert faults(lines) == ["SALAH: penutup.jsonl: mencatat 4 entri, di sini hanya 3: bagian akhir terpotong"]


def test_a_cut_end_with_everything_made_anew_shows_against_an_anchor_kept_elsewhere(
    folder: Path, entries: list[Entry], tmp_path: Path
) -> None:
    kept = tmp_path / "kept anchor.jsonl"
    kept.write_bytes(write_anchor(anchor(entries, None, replace(mark(entries), ticket="PS-2026-0000"))))
    assert check(folder, "--anchor", kept)[0] == 0
    (folder / "penutup.jsonl").write_bytes(write_anchor(anchor(entries[:3])))
    cut(folder)
    code, lines = check(folder)
    assert code == 0
    assert lines[0].startswith(f"Tiket {TICKET}: 3 entri; yang terakhir done pada satu.3")
    _, lines = check(folder, "--anchor", kept)
    assert faults(lines) == ["SALAH: kept anchor.jsonl: mencatat 4 entri, di sini hanya 3: bagian akhir terpotong"]


def test_a_fork_and_another_ticket_show_against_an_anchor_and_growth_does_not(
    folder: Path, entries: list[Entry], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(write_anchor(anchor(entries[:3])))
    code, lines = check(folder, "--anchor", kept)
    assert code == 0
    assert "kept: sejak itu bertambah 1 entri" in lines
    for ending in (b"", b"\r\n"):  # as an editor or a mail program leaves it
        kept.write_bytes(write_anchor(anchor(entries[:3])).rstrip().replace(b"\n", ending or b"\n") + ending)
        assert "kept: sejak itu bertambah 1 entri" in check(folder, "--anchor", kept)[1]
    other = replace(mark(entries), head="a" * 64, opening="b" * 64)
    kept.write_bytes(write_anchor(replace(anchor(entries), marks=(other,))))
    _, lines = check(folder, "--anchor", kept)
    assert len(faults(lines)) == 2
    elsewhere = replace(mark(entries), ticket="PS-2026-0009")
    kept.write_bytes(write_anchor(replace(anchor(entries), marks=(elsewhere,))))
    code, lines = check(folder, "--anchor", kept)
    assert code == 0
    assert any("tidak ada di dalamnya" in line for line in lines)
    kept.write_bytes(b"".join(write_anchor(anchor(entries, None, other)).splitlines(keepends=True)[::2]))
    assert faults(check(folder, "--anchor", kept)[1]) == [
        "SALAH: kept: menyebut 2 tiket dan memuat 1: jangkar ini terpotong atau ditambah"
    ]
    kept.write_text("no anchor")
    assert check(folder, "--anchor", kept)[0] == 1
    assert check(folder, "--anchor", tmp_path / "none")[0] == 1


def test_an_archive_that_somebody_closed_cannot_be_cut_under_that_signature(
    entries: list[Entry], people: People, keys: dict[str, Path], tmp_path: Path
) -> None:
    closing = Closing(anchor=anchor(entries, "joko"), signer=people.person("joko"))
    signed = signer(keys, "joko", ANCHORS).sign(closing.content)
    documents = {sha256(paper): paper for paper in PAPERS.values()}
    content = archive(
        entries, documents=documents, people_of=lambda _: people, closing=replace(closing, signature=signed.signature)
    )
    folder = unpacked(content, tmp_path)
    code, lines = check(folder)
    assert code == 0
    assert any("ditandatangani joko" in line for line in lines)
    (folder / "penutup.jsonl").write_bytes(write_anchor(anchor(entries[:3], "joko")))
    cut(folder)
    _, lines = check(folder)
    assert faults(lines) == ["SALAH: penutup.jsonl: menyebut joko, tetapi tanda tangannya tidak ada atau tidak berlaku"]


@pytest.mark.parametrize("flags", [0x00, 0x01, 0x04, 0x05])
@pytest.mark.parametrize("shell", SHELLS[:2], ids=" ".join)
def test_a_security_key_counts_only_when_it_was_touched(
    flags: int, shell: list[str], tmp_path: Path, need: Callable[[str], str]
) -> None:
    need(shell[0])
    key = SecurityKey()
    key.flags = flags
    entries = journal(key.sign, papers={})
    people = staff(tmp_path, {"siti": key.public})
    content = archive(entries, documents={}, people_of=lambda _: people, closing=Closing(anchor=anchor(entries)))
    code, lines = check(unpacked(content, tmp_path), shell=shell)
    wrong = (
        []
        if flags & 1
        else [f"SALAH: entri/{n:04}.json: kunci FIDO siti tidak disentuh waktu menandatangani" for n in range(1, 5)]
    )
    assert faults(lines) == wrong
    assert code == (1 if wrong else 0)


def swap(folder: Path) -> None:
    for suffix in (".json", ".json.sig"):
        one, two = (folder / "entri" / f"{number:04}{suffix}" for number in (2, 3))
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)


def one_byte(folder: Path) -> None:
    path = folder / "entri" / "0003.json"
    path.write_bytes(path.read_bytes().replace(b'"verb":"done"', b'"verb":"Done"'))


def no_signers(folder: Path) -> None:
    (folder / "allowed_signers").unlink()


def other_paper(folder: Path) -> None:
    (folder / "dokumen" / "0003-surat.pdf").write_bytes(b"%PDF other")


def no_papers(folder: Path) -> None:
    shutil.rmtree(folder / "dokumen")


def no_entries(folder: Path) -> None:
    shutil.rmtree(folder / "entri")


def added(folder: Path) -> None:
    shutil.copy(folder / "entri" / "0004.json", folder / "entri" / "0005.json")
    shutil.copy(folder / "entri" / "0004.json.sig", folder / "entri" / "0005.json.sig")


def named_otherwise(folder: Path) -> None:
    (folder / "entri" / "0004.json").rename(folder / "entri" / "0004 (1).json")


def no_closing(folder: Path) -> None:
    (folder / "penutup.jsonl").unlink()


def no_signature(folder: Path) -> None:
    (folder / "entri" / "0001.json.sig").unlink()


CHANGES = [
    swap,
    one_byte,
    no_signers,
    other_paper,
    no_papers,
    no_entries,
    added,
    named_otherwise,
    no_closing,
    no_signature,
]


@pytest.mark.parametrize("anew", [True, False])
@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_what_was_changed_is_told(folder: Path, change: Callable[[Path], None], anew: bool) -> None:
    change(folder)
    if anew:
        listed_anew(folder)
    assert check(folder)[0] == 1


def test_a_file_that_is_not_listed_is_told(folder: Path) -> None:
    (folder / "dokumen" / "deep").mkdir()
    more = ["dokumen/more", ".hidden", "entri/.hidden", "dokumen/deep/more"]
    for name in more:
        (folder / name).write_bytes(b"")
    _, lines = check(folder)
    assert set(faults(lines)) == {f"SALAH: berkas {name} tidak tercantum di SHA256SUMS" for name in more}


def test_documents_have_plain_names_and_the_list_tells_what_was_signed(folder: Path) -> None:
    names = sorted(path.name for path in (folder / "dokumen").iterdir())
    assert len(names) == len(PAPERS)
    assert {"0003-surat.pdf", "0003-rencana.json", "0003-rf", "0003-lampiran"} <= set(names)
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.isascii() and name.replace(".", "").replace("-", "").replace("_", "").isalnum() for name in names)
    listed = (folder / "DAFTAR.txt").read_text().splitlines()
    assert len(listed) == len(PAPERS)
    for line in listed:
        digest, path, told = line.split("  ", 2)
        signed = json.loads(told.partition(": ")[2])
        assert sha256(PAPERS[signed]) == digest == sha256((folder / path).read_bytes())


def test_a_script_and_keys_of_the_auditors_own_are_used_on_any_archive(
    folder: Path, keys: dict[str, Path], tmp_path: Path
) -> None:
    (folder / "periksa.sh").write_text("echo lampiran utuh\n")
    one_byte(folder)
    listed_anew(folder)
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(SCRIPT, own / "periksa.sh")
    assert check(own, folder)[0] == 1
    swap_back = folder / "entri" / "0003.json"
    swap_back.write_bytes(swap_back.read_bytes().replace(b'"verb":"Done"', b'"verb":"done"'))
    listed_anew(folder)
    assert check(own, folder)[0] == 0
    (own / "signers").write_text(f"siti {public(keys['joko'])}\n")
    assert check(own, "--signers", own / "signers", folder)[0] == 1
    assert check(own, "--anchor")[0] == 1
    assert check(own, "--other")[0] == 1


@pytest.mark.parametrize("commit", ["bd74e95", "6d16028"])
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_an_archive_of_before_holds_by_its_own_script_and_by_todays(
    shell: list[str], commit: str, tmp_path: Path, need: Callable[[str], str]
) -> None:
    need(shell[0])
    kept = Path(__file__).parents[2] / "migration" / f"archive-{commit}.tar.gz"
    with tarfile.open(kept) as tar:
        tar.extractall(tmp_path, filter="data")
    folder = tmp_path / "PS-2026-0002"
    assert subprocess.run(["sh", folder / "periksa.sh"], capture_output=True, check=False).returncode == 0
    shutil.copy(SCRIPT, tmp_path)
    code, lines = check(tmp_path, folder, shell=shell)
    assert code == 0
    assert lines[0].startswith("Tiket PS-2026-0002: 2 entri; yang terakhir cancel")
