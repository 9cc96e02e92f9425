# One stack. Copy this folder to your own configuration, and let `source` point to infra/.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # The state is kept on this machine until you configure another place; see backend.tf.example.
}

variable "region" {
  description = "AWS region, such as eu-west-1. Null: that of the environment or the profile."
  type        = string
  default     = null
}

variable "stack" {
  description = "The start of all resource names. `ocache --stack` must have the same value."
  type        = string
  default     = "organic-cache"
}

variable "package" {
  description = "The zip of the functions. Null: the one that `infra/package` built."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "E-mail addresses that are notified of alarms."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether the tables refuse to be deleted."
  type        = bool
  default     = true
}

provider "aws" {
  region = var.region
}

module "ocache" {
  source = "../.."

  stack               = var.stack
  package             = var.package
  alarm_emails        = var.alarm_emails
  deletion_protection = var.deletion_protection
}

# What other parts of your configuration, and ocache's command line, need.
output "ocache" {
  description = "All outputs of the module."
  value       = module.ocache
}

output "environment" {
  description = "The variables with which the command line works on this stack."
  value       = module.ocache.environment
}
