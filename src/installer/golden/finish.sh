#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
unset DEBIAN_HAS_FRONTEND DEBCONF_READFD DEBCONF_WRITEFD DEBCONF_REDIR
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages() {
  apk add --no-cache "$@"
}

repository() {
  mkdir -p "$work/lists/partial"
  echo 'deb [trusted=yes] file:/media/ingot/repository ingot main' >"$work/sources.list"
  cat >"$work/apt.conf" <<END
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
APT::Sandbox::User "root";
END
  APT_CONFIG="$work/apt.conf" apt-get -q update
  APT_CONFIG="$work/apt.conf" apt-get -q -y -o Dpkg::Use-Pty=0 install "$@"
}

password() {
  printf '%s:%s\n' "$1" "$2" | chpasswd -e
}

keys() {
  home=$(awk -F: -v user="$1" '$1 == user { print $6 }' /etc/passwd)
  mkdir -p "$home/.ssh"
  printf %s "$2" | base64 -d >"$home/.ssh/authorized_keys"
  chown -R "$1:" "$home/.ssh"
  if command -v restorecon >/dev/null; then restorecon -R "$home/.ssh"; fi
}

sudo() {
  mkdir -p -m 0755 /etc/sudoers.d
  printf '%s ALL=(ALL) %s\n' "$1" "$2" >"/etc/sudoers.d/90-$1"
  chmod 0440 "/etc/sudoers.d/90-$1"
  if command -v restorecon >/dev/null; then restorecon "/etc/sudoers.d/90-$1"; fi
}

kernel_args() {
  mkdir -p -m 0755 /etc/default/grub.d
  printf 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT %s"\n' "$*" >/etc/default/grub.d/90-ingot.cfg
  chmod 0644 /etc/default/grub.d/90-ingot.cfg
  update-grub
}

locale() {
  printf 'export LANG=%s\n' "$1" >/etc/profile.d/90-locale.sh
  chmod 0644 /etc/profile.d/90-locale.sh
}

script() {
  echo "ingot: $1"
  printf %s "$2" | base64 -d >"$work/script"
  chmod 0700 "$work/script"
  case $(head -c 2 "$work/script") in '#!') with= ;; *) with=sh ;; esac
  (umask 022 && cd / && $with "$work/script")
}

# What was asked for
packages vim g++
repository jq
password root '*'
password dev '$6$salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
keys dev c3NoLWVkMjU1MTkgQUFBQSBhICQoaWQpICdiJyAiYyIKc3NoLXJzYSBCQkJCCg==
sudo dev NOPASSWD:ALL
sudo ops ALL
kernel_args console=ttyS0,115200 a=%n
locale en_US.UTF-8
script scripts%2Fa%20b%0A%24%28id%29.sh IyEvYmluL3NoCmVjaG8gACDDqQo=
