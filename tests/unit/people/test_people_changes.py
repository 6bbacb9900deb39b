"""What is told between two people files, and whether a file knew of a key or tenure."""

from __future__ import annotations

from pathlib import Path

from sopauto.people import People, load_people
from sopauto.people_changes import changes, facts_of, knew
from tests.unit.people.test_people_sound import held, key, of, person, write


def people(tmp_path: Path, *rows: str) -> People:
    return load_people(write(tmp_path, *rows))


def test_the_same_file_tells_nothing(tmp_path: Path) -> None:
    one = people(tmp_path, person("siti", keys=of(key()), held=held()))
    assert changes(one, one) == []


def test_each_change_is_a_line(tmp_path: Path) -> None:
    before = people(tmp_path, person("siti", keys=of(key()), held=held()), person("budi"))
    after = people(
        tmp_path, person("siti", nip="7", keys=of(key(), until="2026-02-01"), held=held("kabid")), person("ani")
    )
    told = changes(before, after)
    assert [line.split(":")[0] for line in told[:3]] == ["added", "taken out", "changed"]
    assert told[:3] == [
        "added: person ani",
        "taken out: person budi",
        "changed: person siti: siti, NIP NIP siti, siti@x.go.id → siti, NIP 7, siti@x.go.id",
    ]
    assert told[3] == "taken out: siti: kadis in kominfo from 2026-01-01"
    assert told[4].startswith("changed: siti: the key SHA256:")
    assert told[4].endswith(" from 2026-01-01 → from 2026-01-01 to 2026-02-01")
    assert told[5] == "added: siti: kabid in kominfo from 2026-01-01"


def test_a_file_knew_what_began_by_then_however_long_it_lasts(tmp_path: Path) -> None:
    before = people(tmp_path, person("siti", held=held(until="2026-06-30")))
    [longer] = facts_of(people(tmp_path, person("siti", held=held())))
    [earlier] = facts_of(people(tmp_path, person("siti", held=held(since="2025-01-01"))))
    [again] = facts_of(people(tmp_path, person("siti", held=held(since="2026-07-01"))))
    [other] = facts_of(people(tmp_path, person("siti", held=held("kabid"))))
    assert [knew(before, fact) for fact in (longer, earlier, again, other)] == [True, False, False, False]
