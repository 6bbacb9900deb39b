"""The formats in which the inventory can be written. One line adds one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sopauto.inventory.exports.ansible import ANSIBLE
from sopauto.inventory.exports.export import Export
from sopauto.inventory.exports.glpi import GLPI
from sopauto.inventory.exports.netbox import NETBOX
from sopauto.inventory.exports.prometheus import PROMETHEUS

FORMATS: Final[Mapping[str, Export]] = {one.name: one for one in (GLPI, NETBOX, ANSIBLE, PROMETHEUS)}
