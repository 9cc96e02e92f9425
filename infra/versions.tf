terraform {
  # Validations that use other variables need 1.9.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # This is a module, so it has no provider and no backend. Its caller chooses the account and region, as
  # examples/stack does.
}

locals {
  tags = merge({ stack = var.stack, application = "ocache" }, var.tags)
}
