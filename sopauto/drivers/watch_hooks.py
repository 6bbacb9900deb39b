"""Puts `watch.py` between Ansible and each task; `guard.py` loads it. Nothing of sopauto is imported."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any


def install(folder: Path) -> None:
    """Stand between Ansible and each task; before Ansible starts its children, which inherit this."""
    from ansible.executor.task_executor import TaskExecutor
    from ansible.executor.task_queue_manager import TaskQueueManager
    from ansible.plugins.strategy import StrategyBase

    watch = run_path(str(Path(__file__).with_name("watch.py")))["Watch"](folder)
    handler, execute, run = (
        TaskExecutor._get_action_handler_with_module_context,
        TaskExecutor._execute,
        TaskExecutor.run,
    )
    queue, send = StrategyBase._queue_task, TaskQueueManager.send_callback

    def handler_of(self: Any, *args: Any, **more: Any) -> Any:
        watch.before(self)
        return handler(self, *args, **more)

    def executed(self: Any, templar: Any, variables: Any) -> Any:
        result = execute(self, templar, variables)
        watch.after(self, variables, result)
        return result

    def whole(self: Any) -> Any:
        result = run(self)
        watch.ended(self, result)
        return result

    def queued(self: Any, host: Any, task: Any, *args: Any) -> None:
        watch.queued(task)
        queue(self, host, task, *args)

    def heard(self: Any, name: str, *args: Any, **more: Any) -> None:
        if name == "v2_playbook_on_play_start":
            watch.play(args[0], self._inventory)
        send(self, name, *args, **more)

    TaskExecutor._get_action_handler_with_module_context = handler_of
    TaskExecutor._execute, TaskExecutor.run = executed, whole
    StrategyBase._queue_task, TaskQueueManager.send_callback = queued, heard
