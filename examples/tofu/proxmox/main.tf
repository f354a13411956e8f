# A machine on Proxmox VE, cloned from the template that an image was brought to. After bringing it there:
#
#   ingot registry record debian-13 --target pve --type proxmox --id 9000

terraform {
  required_version = ">= 1.3"

  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "~> 0.70"
    }
  }
}

# Address and token come from PROXMOX_VE_ENDPOINT and PROXMOX_VE_API_TOKEN.
provider "proxmox" {}

module "debian" {
  source = "../image"
  name   = "debian-13"
  target = "pve"
}

resource "proxmox_virtual_environment_vm" "web" {
  name      = "web-1"
  node_name = var.node

  clone {
    vm_id = tonumber(module.debian.deployment_id)
  }

  lifecycle {
    # Machines stay as they are when the template is another one.
    ignore_changes = [clone]

    precondition {
      condition     = !module.debian.stale || var.accept_stale
      error_message = "The template is of an older build than ${module.debian.build}: bring that to the target first."
    }
  }
}

output "made_from" {
  value = module.debian.build
}
