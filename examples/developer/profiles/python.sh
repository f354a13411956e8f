#!/bin/sh -eu
# Packages of pip belong into virtual environments; Debian's own Python refuses them.
cat > /etc/pip.conf <<'END'
[global]
require-virtualenv = true
disable-pip-version-check = true
END
python3 -c 'import pytest'
