"""A canary over every field that people write: nothing runs, and each text is taken as it is or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from lab.workspace import people_file
from sopauto.access.events import read_events
from sopauto.access_settings import Access
from sopauto.app import known
from sopauto.assets.importing import read_assets
from sopauto.data_file import parse_document
from sopauto.inventory.by_hand.form import Form, read_form
from sopauto.people import load_people
from sopauto.procedures.check import check
from sopauto.procedures.fields import validate
from sopauto.procedures.library import Library
from sopauto.procedures.load import ACTOR, FIELD, HEAD, HEAD_LISTS, MESSAGE, STEP, TABLE, TECHNICAL, TOP
from sopauto.procedures.model import Field
from sopauto.servers.profiles import Profile, Profiles, Waiver
from sopauto.settings import Settings, load_settings
from sopauto.software.model import Software
from sopauto.software.shelf import read_entry
from sopauto.tickets.letter import read_letter
from tests.unit.canary.examples import ASSETS, LETTER, PROFILE, SETTINGS, SOFTWARE, SOP, WAIVER
from tests.unit.canary.hostile import LONGEST, Way, held, keys, leaves, left_out, texts, with_key, with_value
from tests.unit.documents.occasions import public_key
from tests.unit.inventory.by_hand.test_record_form import WHOLE

EVENT = {"waktu": "2026-11-20T08:00:00", "kartu": "KA-000001", "zona": "ruang"}
ZONES = Access(zones={"ruang": {"title": "Ruang"}})  # type: ignore[dict-item] # pydantic reads it


OF_SHEETS = {"formula by plus", "formula by minus", "formula by at", "formula after a tab", "formula in full width"}
"""Texts that only an output can break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that people write: an example with every field, its model where it has one, and what reads it."""

    example: Any
    read: Callable[[Path, Any], object]
    model: type[BaseModel] | None = None


def written(path: Path, data: Any) -> Path:
    """Return a file with the data, as JSON, which is YAML too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False), errors="surrogatepass")
    return path


def toml(data: Mapping[str, Any]) -> str:
    return "\n".join(f"{json.dumps(name)} = {_toml(value)}" for name, value in data.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_quoted(name)} = {_toml(part)}" for name, part in value.items())
        return f"{{{pairs}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def settings(root: Path, data: Any) -> object:
    path = root / "sopauto.toml"
    path.write_text(toml(data), errors="surrogatepass")
    return load_settings(root)


def profile(root: Path, data: Any) -> object:
    written(root / "profiles" / "uji.yaml", data)
    return Profiles(root).get("uji")


def waivers(root: Path, data: Any) -> object:
    written(root / "waivers.yaml", data)
    return Profiles(root).waivers("server-01", date(2026, 11, 26))


def software(root: Path, data: Any) -> object:
    folder = root / "agenda"
    written(folder / "software.yaml", data)
    (folder / "a.conf.j2").write_text("port {{ port }} {{ mode }}\n")
    (folder / "agenda.service").write_text("[Service]\n")
    return read_entry(folder)


def events(root: Path, data: Any) -> object:
    path = root / "events.csv"
    line = ",".join('"{}"'.format(str(value).replace('"', '""')) for value in data.values())
    path.write_text(f"{','.join(data)}\n{line}\n", errors="surrogatepass", newline="")
    return list(read_events(path, ZONES, ZoneInfo("Asia/Jakarta")))


def sop(root: Path, data: Any) -> object:
    """Read an SOP as `sop.check` does; every finding is one line."""
    source = written(root / "sop.yaml", data).read_bytes()
    for finding in check(source, "sop.yaml", known()):
        assert "\n" not in str(finding)
        assert len(str(finding)) < LONGEST / 2
    return None


def people_data() -> Any:
    text = people_file({}, ())
    data, _ = parse_document(text.encode(), "people.yaml")
    person = {
        "id": "siti",
        "nama": "Siti",
        "nip": "198703122010012004",
        "email": "siti@dinkes.example.go.id",
        "kunci": [{"publik": public_key("siti"), "sejak": "2019-11-01", "sampai": "2030-01-01"}],
        "memegang": [{"jabatan": "kadis", "unit": "kominfo", "sejak": "2019-11-01", "sampai": "2030-01-01"}],
    }
    positions = [{"id": "kadis", "nama": "Kadis"}, {"id": "kabid", "nama": "Kabid", "atasan": "kadis"}]
    return {**data, "jabatan": positions, "unit": data["unit"][:1], "orang": [person]}


ROW = dict.fromkeys(STEP, "tulisan") | {
    "isian": [dict.fromkeys(FIELD, "tulisan")],
    "pesan": dict.fromkeys(MESSAGE, "tulisan"),
    "teknis": dict.fromkeys(TECHNICAL, "tulisan"),
}
WORDS = dict.fromkeys(TOP, "tulisan") | {
    "kepala": dict.fromkeys((*HEAD, *HEAD_LISTS), "tulisan"),
    "pelaksana": [dict.fromkeys(ACTOR, "tulisan")],
    "tabel": [dict.fromkeys(TABLE, "tulisan") | {"baris": [ROW]}],
}
"""Every word that an SOP's file may hold."""
FILLED, _ = parse_document(WHOLE.encode(), "form.yaml")
SOURCES = {
    "settings": Source(example=SETTINGS, read=settings, model=Settings),
    "profile": Source(example=PROFILE, read=profile, model=Profile),
    "waivers": Source(example=[WAIVER], read=waivers, model=Waiver),
    "catalogue": Source(example=SOFTWARE, read=software, model=Software),
    "form": Source(
        example=FILLED,
        read=lambda root, data: read_form(written(root / "f.yaml", data), datetime(2026, 11, 26, tzinfo=UTC)),
        model=Form,
    ),
    "assets": Source(example=ASSETS, read=lambda root, data: read_assets(written(root / "assets.yaml", data))),
    "people": Source(example=people_data(), read=lambda root, data: load_people(written(root / "people.yaml", data))),
    "letter": Source(example=LETTER, read=lambda root, data: read_letter(written(root / "l.yaml", data))),
    "events of a door": Source(example=EVENT, read=events),
    "SOP": Source(example=SOP, read=sop),
    "words of an SOP": Source(example=WORDS, read=sop),
}


@pytest.mark.parametrize("name", SOURCES)
def test_each_text_in_each_field_and_key_is_taken_as_data_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    source, canary = SOURCES[name], tmp_path / "canary"
    (tmp_path / "w").mkdir()
    for text in (text for name, text in texts(canary).items() if name not in OF_SHEETS):
        for way, lacking in places(source):
            held(source.read, tmp_path / "w", with_value(source.example, way, text))
            if lacking:
                held(source.read, tmp_path / "w", with_value(source.example, way, [text]))
    for text in (texts(canary)["templates"], texts(canary)["terminal"], texts(canary)["lines"]):
        for way in keys(source.example):
            held(source.read, tmp_path / "w", with_key(source.example, way, text))
    assert not canary.exists()


def places(source: Source) -> Iterator[tuple[Way, bool]]:
    """Yield the way to each value of the example, and to each field of the model that it lacks, that also as a list."""
    yield from ((way, False) for way in leaves(source.example))
    if source.model is not None:
        several = isinstance(source.example, list)
        for way in left_out(source.model, source.example[0] if several else source.example):
            yield ((0, *way) if several else way), True


def test_a_field_that_the_example_lacks_is_found_by_the_model() -> None:
    settings = {name: value for name, value in SETTINGS.items() if name not in {"mail", "time_zone"}}
    found = {way for way, _ in places(Source(example=settings, read=lambda *_: None, model=Settings))}
    assert {("mail", "sender"), ("time_zone",), ("agency", "name"), ("credentials", "inventory", "user")} <= found


@pytest.mark.parametrize("name", ["settings", "profile", "waivers", "assets", "people", "letter", "form"])
def test_the_example_itself_is_sound(name: str, tmp_path: Path) -> None:
    SOURCES[name].read(tmp_path, SOURCES[name].example)


def fields() -> Iterator[Field]:
    for procedure in Library(()).all():
        yield from procedure.letter
        for step in procedure.steps:
            yield from step.fields


def test_each_field_of_each_letter_and_row_holds_one_visible_line(tmp_path: Path) -> None:
    for field in fields():
        for text in texts(tmp_path / "canary").values():
            value = held(validate, [field], {field.name: text}, "letter")
            for told in (value or {}).values():
                assert not isinstance(told, str) or told.isprintable()
            held(validate, [field], {text: "x"}, "letter")
    assert not (tmp_path / "canary").exists()
