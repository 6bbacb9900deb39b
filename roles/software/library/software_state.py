#!/usr/bin/python
"""Record what a server is like before a software comes, and bring it back: packages, /etc, services, ports, accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_state
short_description: Record a server's state, and bring it back
description:
  - C(record) keeps the state before and a copy of C(/etc). C(settle) records what installing changed. C(restore) uninstalls
    exactly that, brings back what it had changed below C(/etc), and proves it by looking again.
  - Data directories stay unless the order says that they go. What others changed meanwhile is told and left alone.
options:
  action:
    description: What to do.
    type: str
    choices: [record, settle, restore]
    required: true
  order:
    description: What sopauto knows of the software.
    type: dict
    required: true
  records:
    description: Where recorded states are kept.
    type: str
    required: true
  reason:
    description: Why it is taken back.
    type: str
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Record the state before
  software_state:
    action: record
    order: "{{ order }}"
    records: /var/lib/sopauto/software
"""
RETURN = r"""
evidence:
  description: For C(restore), what was uninstalled, what is left of it, what is kept, what others changed.
  returned: success
  type: dict
"""

import os
import shutil
from typing import NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.sopauto_software.comparing import differences, lines
from ansible.module_utils.sopauto_software.present import Fault, Server
from ansible.module_utils.sopauto_software.record import Record
from ansible.module_utils.sopauto_software.taking_back import TakeBack

MOST = 200


def record_before(module: AnsibleModule, server: Server, record: Record) -> NoReturn:
    if record.read("before.json") is not None:
        module.exit_json(changed=False)
    result = {"changed": True, "diff": {"prepared": "record packages, /etc, services, ports and accounts\n"}}
    if not module.check_mode:
        record.copy_etc()
        there = [path for path in record.order["entry"]["data"] if os.path.isdir(path)]
        record.write(
            "before.json", dict(server.state(record.order["paths"]), ticket=record.order["ticket"], data=there)
        )
    module.exit_json(**result)


def settle(module: AnsibleModule, server: Server, record: Record) -> NoReturn:
    if record.read("after.json") is not None:
        module.exit_json(changed=False)
    result = {"changed": True, "diff": {"prepared": "record what installing changed\n"}}
    if not module.check_mode:
        after = server.state(record.order["paths"])
        record.write("after.json", after)
        difference = differences(record.read("before.json"), after)
        for port in record.order["entry"]["requires"]["ports"]:
            difference["ports"].setdefault(port, (None, "to be opened"))
        changed = lines(difference)
        result["evidence"] = {"installed": changed[:MOST], "more": max(0, len(changed) - MOST)}
    module.exit_json(**result)


def restore(module: AnsibleModule, server: Server, record: Record) -> NoReturn:
    before = record.read("before.json")
    told = {"running": False, "reason": module.params["reason"]} if module.params["reason"] else {}
    if before is None:
        proof = record.read("proof.json") or {
            "left": ["no state is recorded here"],
            "removed": [],
            "kept": [],
            "others": [],
        }
        module.exit_json(changed=False, evidence=dict(proof, **told))
    work = TakeBack(server, record, before, record.read("after.json") or server.state(record.order["paths"]))
    packages, kept = work.carry_out()
    left, others = work.left()
    proof = {"removed": packages, "kept": kept, "left": left[:MOST], "others": others[:MOST]}
    if not left:
        record.write("proof.json", proof)
        record.forget()
    module.exit_json(changed=True, evidence=dict(proof, **told))


def main() -> None:
    options = {
        "action": {"type": "str", "required": True, "choices": ["record", "settle", "restore"]},
        "order": {"type": "dict", "required": True},
        "records": {"type": "str", "required": True},
        "reason": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    act = {"record": record_before, "settle": settle, "restore": restore}[module.params["action"]]
    try:
        act(module, Server(module), Record(module))
    except (Fault, OSError, shutil.Error) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
