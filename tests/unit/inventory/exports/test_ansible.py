"""Ansible: groups and addresses, and no server that nobody logs in to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sopauto.inventory.exports.ansible import ANSIBLE, inventory
from sopauto.settings import Inventory
from tests.unit.inventory.exports.suite import ExportSuite, source
from tests.unit.inventory.placed import SERVER


class TestAnsible(ExportSuite):
    export = ANSIBLE

    def test_a_server_that_a_person_records_is_none_that_ansible_reaches(self, tmp_path: Path) -> None:
        here = source(tmp_path, SERVER, replace(SERVER, id="win-01"))
        settings = here.settings.model_copy(update={"inventory": Inventory(by_form=("win-01",))})
        ((_, told),) = ANSIBLE.files(replace(here, settings=settings))
        assert "win-01" not in str(told)
        assert "web-01" in str(told)


def test_ansible_is_told_groups_and_addresses() -> None:
    told = inventory([SERVER], port=22, user="inventaris")
    assert told["all"]["children"] == ["unit_dinkes", "rack_R1", "vlan_30"]
    assert told["_meta"]["hostvars"]["web-01"]["ansible_host"] == "192.0.2.30"
