"""The plan of a step that only reads."""

from __future__ import annotations

from sopauto.work import Json, Plan


def reading_plan(module: str, parameters: Json) -> Plan:
    """Return the plan of a module that only reads: the server as target, no lines, no states."""
    return Plan(
        module=module, targets=(str(parameters["server"]),), parameters=parameters, before={}, lines=(), after={}
    )
