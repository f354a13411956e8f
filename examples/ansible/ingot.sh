#!/bin/sh
# Ansible's inventory from the registry of Ingot: ansible-inventory -i ingot.sh --graph
exec "${INGOT:-ingot}" inventory "$@"
