#!/usr/bin/python
"""Look whether services stay running: a service that dies after its start, or is started again and again, does not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_running
short_description: Services stay running
description:
  - Fails unless each service is active now and, without a restart, still is some seconds later.
options:
  services:
    description: Units.
    type: list
    elements: str
    required: true
  seconds:
    description: How long they are watched.
    type: int
    default: 5
author:
  - sopauto
"""
EXAMPLES = r"""
- name: It stays running
  software_running:
    services: [nginx]
"""
RETURN = r"""
evidence:
  description: What each service looked like at the end.
  returned: success
  type: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule


def look(module: AnsibleModule, service: str) -> dict[str, str]:
    code, out, err = module.run_command(
        ["systemctl", "show", "--property=ActiveState,SubState,NRestarts,MainPID", service]
    )
    if code:
        module.fail_json(msg="%s: %s" % (service, (err or out).strip()))
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def main() -> None:
    options = {
        "services": {"type": "list", "elements": "str", "required": True},
        "seconds": {"type": "int", "default": 5},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    services = module.params["services"]
    first = {service: look(module, service) for service in services}
    if services:
        time.sleep(module.params["seconds"])
    last = {service: look(module, service) for service in services}
    for service in services:
        state = last[service]
        if state.get("ActiveState") != "active":
            module.fail_json(msg="%s is %s (%s)" % (service, state.get("ActiveState"), state.get("SubState")))
        if state.get("NRestarts") != first[service].get("NRestarts"):
            module.fail_json(msg="%s dies and is started again and again" % service)
    told = [{"service": name, "state": "%(ActiveState)s (%(SubState)s)" % last[name]} for name in services]
    module.exit_json(changed=False, evidence={"running": True, "services": told})


if __name__ == "__main__":
    main()
