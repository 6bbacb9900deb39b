"""What the role provision makes of an administrator's name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[3] / "roles/provision/library/administrators.py"


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("Rani Putri, A.Md.", "Rani Putri A.Md."),
        ("Ir. H. Agus: S.T., M.T.", "Ir. H. Agus S.T. M.T."),
        ("Siti\nroot:x:0:0", "Siti root x 0 0"),
        ("Dewi = Ratna", "Dewi Ratna"),
        ("Yoga Pratama", "Yoga Pratama"),
    ],
)
def test_titles_in_a_full_name_stay_without_what_parts_fields_of_an_account(name: str, comment: str) -> None:
    spec = importlib.util.spec_from_file_location("administrators", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.comment_of(name) == comment
