# Two stacks in one account: one for customers, with a key, domain names, a budget and gradual releases, and
# one for experiments. Their names keep everything of them apart.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"
}

variable "package" {
  description = "The zip of the functions. Null: the one that `infra/package` built."
  type        = string
  default     = null
}

variable "domain" {
  description = "The domain below which both APIs have their names."
  type        = string
  default     = "example.com"
}

variable "zone_id" {
  description = "The zone of Route 53 that has the names."
  type        = string
  default     = "Z0000000000000EXAMPLE"
}

variable "certificate_arn" {
  description = "A certificate of ACM for both names, in this region."
  type        = string
  default     = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
}

variable "alarm_emails" {
  description = "E-mail addresses that are notified of alarms."
  type        = list(string)
  default     = ["on-call@example.com"]
}

provider "aws" {
  region = var.region
}

module "shop" {
  source = "../.."

  stack              = "shop"
  package            = var.package
  alarm_emails       = var.alarm_emails
  monthly_budget_usd = 500
  kms_key_arn        = aws_kms_key.shop.arn
  tracing            = true
  gradual_deployment = "LambdaCanary10Percent5Minutes"
  access_logs        = { websocket = true }
  max_concurrency    = { refresh = 100, quotation = 50, provider = 100 }

  domains = {
    websocket = { name = "quotes.${var.domain}", certificate_arn = var.certificate_arn, zone_id = var.zone_id }
    http      = { name = "subscribe.${var.domain}", certificate_arn = var.certificate_arn, zone_id = var.zone_id }
  }

  depends_on = [aws_api_gateway_account.this]
}

module "trial" {
  source = "../.."

  stack                    = "trial"
  package                  = var.package
  alarm_emails             = var.alarm_emails
  deletion_protection      = false
  token_keys_recovery_days = 0
  refresh_every_mins       = 5
  usable_for_secs          = 900
}

output "shop" {
  description = "All outputs of the stack for customers."
  value       = module.shop
}

output "trial" {
  description = "All outputs of the stack for experiments."
  value       = module.trial
}
