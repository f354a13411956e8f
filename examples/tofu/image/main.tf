# Asks Ingot which build of an image is the newest, each time a plan is made.

terraform {
  required_version = ">= 1.3"

  required_providers {
    external = {
      source  = "hashicorp/external"
      version = "~> 2.3"
    }
  }
}

data "external" "image" {
  program = concat(var.ingot, ["tofu", "data"])

  # What is empty is not asked for.
  query = {
    for key, value in {
      image  = var.name
      arch   = var.arch
      format = var.format
      target = var.target
      url    = var.url
    } : key => value if value != ""
  }
}
