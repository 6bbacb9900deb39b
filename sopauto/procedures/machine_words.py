"""The words that the machine writes into a ticket's data: nobody states them, and no SOP asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OPENING: Final = frozenset({"letter", "unit", "applicant"})
"""What opening a ticket writes."""
OUTCOME: Final = "outcome"
"""How machine work ended. Entries keep it apart; older ones held it among what people state."""
PLACE: Final = "place"
"""Where a server stands or will stand."""
EFFECTS: Final[Mapping[str, frozenset[str]]] = {
    "siapkan": frozenset({PLACE}),
    "akses-disetujui": frozenset({"nomor_kartu"}),
    "kartu-siap": frozenset({"status_akses"}),
    "review-disusun": frozenset({"jumlah_akses"}),
}
"""What completing a row writes, by its effect (`aset`)."""
MACHINE_WORDS: Final = OPENING | {OUTCOME, PLACE} | frozenset[str]().union(*EFFECTS.values())
"""All of them."""
