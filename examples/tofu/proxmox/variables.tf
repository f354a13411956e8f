variable "node" {
  type    = string
  default = "pve"
}

variable "accept_stale" {
  description = "Make machines from a template of an older build too."
  type        = bool
  default     = false
}
