terraform {
  # Validations that look at other variables need 1.9.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # No provider and no backend: this is a module. Whoever calls it says which account and region, as
  # examples/stack does.
}

locals {
  tags = merge({ stack = var.stack, application = "ocache" }, var.tags)
}
