#!/usr/bin/python
"""Ask which ports listen; changes nothing, so check mode may ask too."""

from __future__ import annotations

DOCUMENTATION = r"""
module: listening_ports
short_description: Which ports listen
description:
  - Returns what C(ss) tells of listening TCP and UDP ports.
options: {}
author:
  - sopauto
"""
EXAMPLES = r"""
- name: Ask which ports listen
  listening_ports:
  register: listening
"""
RETURN = r"""
stdout:
  description: The lines of C(ss).
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

COMMAND = ["ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric"]


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    _, stdout, _ = module.run_command(COMMAND, check_rc=True)
    module.exit_json(changed=False, stdout=stdout)


if __name__ == "__main__":
    main()
