variable "name" {
  type = string
}

variable "buckets" {
  description = "ARNs of the buckets that builds are put into"
  type        = list(string)
}
