"""The lines that set a port to a state: a platform's template, or the agency's own in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sopauto.custody.port_state import PortState
from sopauto.custody.switches.platforms import HERE
from sopauto.errors import BadInput

TEMPLATE: Final = "port.j2"


def read_template(platform: str, templates: Path) -> bytes:
    """Return the platform's template, the agency's own before the shipped one; raises BadInput (there is none)."""
    for folder in (templates / "switch", HERE):
        path = folder / platform / TEMPLATE
        if path.is_file():
            return path.read_bytes()
    raise BadInput(f"there is no template for {platform}", where=str(HERE), mend=f"add {platform}/{TEMPLATE}")


def render(template: bytes, port: str, state: PortState) -> tuple[str, ...]:
    """Return the lines that set a port to a state; raises BadInput (the template does not work)."""
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        text = (
            SandboxedEnvironment(undefined=StrictUndefined)
            .from_string(template.decode())
            .render(port=port, vlan=state.vlan, description=state.description, enabled=state.enabled)
        )
    except (TemplateError, UnicodeDecodeError) as error:
        raise BadInput(f"the template does not work: {error}", where=TEMPLATE, mend="correct it") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())
