output "path" {
  description = "The file on the machine that Ingot runs on."
  value       = data.external.image.result.path
}

output "url" {
  value = data.external.image.result.url
}

output "sha256" {
  value = data.external.image.result.sha256
}

output "cache_key" {
  description = "Changes when the image does: a trigger for what is made from it."
  value       = data.external.image.result.cache_key
}

output "build" {
  description = "As commands take it: NAME@BUILD."
  value       = data.external.image.result.image
}

output "deployment_id" {
  description = "What the target calls it; empty without a target."
  value       = lookup(data.external.image.result, "deployment_id", "")
}

output "stale" {
  description = "Whether a newer build is here than the one that was brought to the target."
  value       = lookup(data.external.image.result, "deployment_stale", "false") == "true"
}
