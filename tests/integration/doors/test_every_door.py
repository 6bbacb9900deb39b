"""What every kind of door has to do: keep a card, forget it, and never take silence for a card that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from sopauto.access.doors.door import DoorCard
from sopauto.access_settings import DoorAt
from sopauto.errors import StepFailed
from tests.integration.doors.sites import CARD, SITES, Site


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with SITES[request.param](tmp_path) as made:
        yield made


def test_every_kind_of_the_settings_is_tried() -> None:
    kinds = DoorAt.model_json_schema()["properties"]["kind"]["enum"]
    assert sorted(kinds) == sorted(SITES)


class TestEveryDoor:
    def test_a_card_is_unknown_put_read_back_and_removed(self, site: Site) -> None:
        assert site.door.read("KA-1") is None
        site.door.put(CARD)
        assert site.door.read("KA-1") == CARD
        site.door.remove("KA-1")
        assert site.door.read("KA-1") is None
        assert site.kept("KA-1") is None

    def test_putting_and_removing_may_be_repeated(self, site: Site) -> None:
        site.door.put(CARD)
        site.door.put(CARD)
        assert site.door.read("KA-1") == CARD
        site.door.remove("KA-1")
        site.door.remove("KA-1")
        site.door.remove("KA-9")
        assert site.door.read("KA-1") is None

    @pytest.mark.parametrize(
        "card",
        [
            replace(CARD, valid_until=None),
            replace(CARD, zones=("ruang-baterai", "ruang-server")),
            replace(CARD, zones=()),
            replace(CARD, valid_from=date(2027, 2, 28), valid_until=date(2028, 2, 29)),
        ],
    )
    def test_what_is_put_is_what_is_read_also_over_another(self, site: Site, card: DoorCard) -> None:
        site.door.put(CARD)
        site.door.put(card)
        assert site.door.read("KA-1") == card

    def test_a_card_touches_no_other(self, site: Site) -> None:
        other = replace(CARD, card="KA-10", zones=("ruang-baterai",))
        site.door.put(CARD)
        site.door.put(other)
        site.door.remove("KA-1")
        assert (site.door.read("KA-1"), site.door.read("KA-10")) == (None, other)

    def test_only_card_zones_and_days_leave_the_house(self, site: Site) -> None:
        site.door.put(CARD)
        assert site.kept("KA-1") == {"card", "zones", "valid_from", "valid_until"}

    def test_many_who_write_at_once_lose_nothing(self, site: Site) -> None:
        cards = [replace(CARD, card=f"KA-{number:02}") for number in range(20)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(site.door.put, cards))
        assert [site.door.read(card.card) for card in cards] == cards
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda card: site.door.remove(card.card), cards[1:]))
        assert [site.door.read(card.card) for card in cards] == [cards[0], *[None] * 19]

    @pytest.mark.parametrize("known", [False, True])
    def test_a_door_that_is_lost_says_nothing_of_any_card(self, site: Site, known: bool) -> None:
        if known:
            site.door.put(CARD)
        site.lose()
        for act in (lambda: site.door.read("KA-1"), lambda: site.door.put(CARD), lambda: site.door.remove("KA-1")):
            with pytest.raises(StepFailed, match=r"^door utama") as caught:
                act()
            assert caught.value.mend
            assert len(str(caught.value).splitlines()) == 1

    def test_an_answer_that_is_cut_is_a_fault(self, site: Site) -> None:
        site.door.put(CARD)
        site.cut()
        with pytest.raises(StepFailed, match=r"^door utama"):
            site.door.read("KA-1")
