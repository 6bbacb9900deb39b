"""The access card on paper: its size, its photo, its QR code."""

from __future__ import annotations

import io
import re
import subprocess
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from sopauto.access.card import card_data, card_pdf, qr_code
from sopauto.access.photo import SIZE, read_photo
from sopauto.access_settings import Access, Zone
from sopauto.errors import BadInput
from sopauto.settings import Agency, Settings
from tests.unit.access.test_token import GRANT

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def settings(home: Path) -> Settings:
    access = Access(zones={"ruang-server": Zone(title="Ruang Server")})
    return Settings(root=home, agency=Agency(name="Dinas Kominfo"), access=access, templates=home / "templates")


def photo(path: Path, size: tuple[int, int] = (600, 800), kind: str = "JPEG", **further: object) -> Path:
    Image.effect_noise(size, 60).convert("RGB").save(path, format=kind, **further)
    return path


def test_the_card_has_the_size_of_a_card_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    picture = read_photo(photo(tmp_path / "f.jpg"))
    made = [card_pdf(settings(tmp_path), GRANT, "Dinkes", token="KA1.x.y", photo=picture, at=AT) for _ in range(2)]
    assert made[0] == made[1]
    box = re.search(rb"/MediaBox\s*\[\s*([\d. ]+)\]", made[0])
    assert box is not None
    width, height = (float(number) * 25.4 / 72 for number in box[1].split()[2:])
    assert (round(width, 1), round(height, 2)) == (85.6, 53.98)
    assert b"/Count 1" in made[0]


def test_hostile_names_stay_text_and_on_the_card(tmp_path: Path) -> None:
    request = replace(GRANT.request, name='#image("x") [*] =1+1 <b>' + "A" * 300 + "\x1b[31m", escort="=CMD()")
    hostile = replace(GRANT, request=request)
    data = card_data(settings(tmp_path), hostile, "U" * 500, "KA1.x.y")
    assert len(data["nama"]) <= 61
    assert data["nama"].startswith('#image("x") [*] =1+1 <b>AAA')
    made = card_pdf(settings(tmp_path), hostile, "U" * 500, token="x", photo=read_photo(photo(tmp_path / "f")), at=AT)
    assert made.startswith(b"%PDF")


def test_a_scanner_reads_the_token_from_the_printed_card(tmp_path: Path, need: Callable[[str], str]) -> None:
    printer, scanner = need("pdftoppm"), need("zbarimg")
    token = f"KA1.{'eyJr' * 30}.{'aB3_-' * 17}x"
    card = tmp_path / "card.pdf"
    picture = read_photo(photo(tmp_path / "f.jpg"))
    card.write_bytes(card_pdf(settings(tmp_path), GRANT, "Dinkes", token=token, photo=picture, at=AT))
    subprocess.run([printer, "-r", "300", "-png", "-singlefile", card, tmp_path / "card"], check=True, timeout=60)
    command = [scanner, "-q", "--raw", "--nodbus", str(tmp_path / "card.png")]
    read = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert read.stdout.strip() == token


def test_the_qr_code_holds_the_token() -> None:
    import segno

    svg = qr_code("KA1.abc.def")
    size = len(segno.make("KA1.abc.def", error="m", micro=False).matrix)
    assert f'width="{size}"' in svg
    assert svg != qr_code("KA1.abc.deg")


def test_a_photo_is_made_anew_from_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "rahasia"
    content = read_photo(photo(tmp_path / "f.jpg", exif=exif))
    with Image.open(io.BytesIO(content)) as made:
        assert (made.size, made.format, dict(made.getexif())) == (SIZE, "JPEG", {})
    assert b"rahasia" not in content
    assert read_photo(photo(tmp_path / "f.png", kind="PNG"))[:2] == b"\xff\xd8"


def test_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "f.jpg"
    for content in (b"", b"not a picture", b"\xff\xd8\xff\xe0 half", b"<svg/>", b"GIF89a" + b"\0" * 99):
        text.write_bytes(content)
        with pytest.raises(BadInput, match="this is no picture"):
            read_photo(text)
    whole = photo(tmp_path / "w.jpg").read_bytes()
    text.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="this is no picture"):
        read_photo(text)
    with pytest.raises(BadInput, match="100 by 100 pixels"):
        read_photo(photo(tmp_path / "s.jpg", (100, 100)))
    with pytest.raises(BadInput, match="cannot be read"):
        read_photo(tmp_path / "none.jpg")


def test_a_photo_of_200_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(BadInput, match="larger than 8 MiB"):
        read_photo(large)
    assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    tracemalloc.stop()


def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (9000, 9000)).save(bomb)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(BadInput, match="9000 by 9000 pixels"):
        read_photo(bomb)
