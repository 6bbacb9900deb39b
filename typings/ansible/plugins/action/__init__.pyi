from collections.abc import Mapping
from typing import Any

class ActionBase:
    TRANSFERS_FILES: bool
    _task: Any
    _templar: Any
    def run(self, tmp: Any = ..., task_vars: Any = ...) -> dict[str, Any]: ...
    def _execute_module(self, module_name: str, module_args: Mapping[str, Any], task_vars: Any) -> dict[str, Any]: ...
