"""The only modules that touch machines: netmiko, paramiko, ansible-runner, ssh-keygen."""
