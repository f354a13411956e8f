variable "name" {
  description = "The image, by the name of its file in images/."
  type        = string
}

variable "arch" {
  description = "x86_64 or aarch64."
  type        = string
  default     = "x86_64"
}

variable "format" {
  description = "Which of its files: qcow2, raw.zst, ... Empty: the first."
  type        = string
  default     = ""
}

variable "target" {
  description = "Also look up where it was brought: the name that `ingot registry record` was given."
  type        = string
  default     = ""
}

variable "url" {
  description = "Where `ingot serve` is reached. Empty: addresses are those of files on this machine."
  type        = string
  default     = ""
}

variable "ingot" {
  description = "How Ingot is called here; with --home for another home than your own."
  type        = list(string)
  default     = ["ingot"]
}
