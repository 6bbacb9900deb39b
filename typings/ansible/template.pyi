from typing import Any

Templar: Any

def trust_as_template(value: str) -> str: ...
