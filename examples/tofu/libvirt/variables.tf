# The value comes from images.auto.tfvars.json in this folder, which this writes:
#
#   ingot registry --format tfvars > images.auto.tfvars.json
#
# Run it again to follow newer builds; what is in the file is what is applied.
variable "images" {
  description = "Images by name and architecture."
  type = map(map(object({
    path      = string
    url       = string
    built_at  = string
    cache_key = string
    image     = string
    build     = string
    source    = string
    digest    = string
    formats = map(object({
      path   = string
      url    = string
      bytes  = number
      digest = string
    }))
  })))
}

variable "name" {
  description = "The image that machines are made from."
  type        = string
  default     = "debian-13"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]*$", var.name))
    error_message = "An image has the name of its file in images/."
  }
}

variable "machines" {
  type    = set(string)
  default = ["web-1", "web-2"]
}
