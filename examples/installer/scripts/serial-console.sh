#!/bin/sh
# Runs inside the installed system: its boot loader shows its menu on the serial port too.
set -eu
echo 'GRUB_TERMINAL="console serial"' > /etc/default/grub.d/serial.cfg
update-grub
