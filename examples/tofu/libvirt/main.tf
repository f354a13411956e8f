# Machines on this host from an image in the registry, by a file of variables. No program is asked while this is planned.

terraform {
  required_version = ">= 1.3"

  required_providers {
    libvirt = {
      source  = "dmacvicar/libvirt"
      version = "~> 0.8.0"
    }
  }
}

provider "libvirt" {
  uri = "qemu:///system"
}

locals {
  image = var.images[var.name]["x86_64"]
}

# A newer build has another key: it is uploaded beside the one before, and machines are made anew on it.
resource "libvirt_volume" "base" {
  name   = "${var.name}-${substr(local.image.cache_key, 0, 12)}.qcow2"
  source = local.image.formats["qcow2"].url
  format = "qcow2"

  lifecycle {
    create_before_destroy = true
  }
}

resource "libvirt_volume" "disk" {
  for_each = var.machines

  name           = "${each.key}.qcow2"
  base_volume_id = libvirt_volume.base.id
}

resource "libvirt_domain" "machine" {
  for_each = var.machines

  name   = each.key
  memory = 2048
  vcpu   = 2

  disk {
    volume_id = libvirt_volume.disk[each.key].id
  }

  network_interface {
    network_name = "default"
  }

  console {
    type        = "pty"
    target_port = "0"
  }
}

output "made_from" {
  value = local.image.image
}
