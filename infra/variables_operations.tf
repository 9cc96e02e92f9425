# How the stack is watched, encrypted, reached and released.

variable "alarm_topic_arns" {
  description = "SNS topics that are notified when an alarm begins, when it ends, and when the budget is nearly spent. Their policies must let CloudWatch and Budgets publish."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "E-mail addresses that are notified of the same, by a topic that is made for them. Each must confirm a mail first."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What the stack may cost in a month, in US dollars. Whoever is notified of alarms is notified when 80 % of it is spent, or when the whole is expected to be exceeded. Null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "A budget is more than nothing."
  }
}

variable "access_logs" {
  description = "Which APIs log each request. The websocket's API can do so only if API Gateway has a role for logging in the region: see docs/deploying.md."
  type = object({
    http      = optional(bool, true)
    websocket = optional(bool, false)
  })
  default = {}
}

variable "tracing" {
  description = "Whether X-Ray traces the functions' invocations."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "A key of yours that encrypts tables, queues, topics, logs, the token keys and the functions' variables. Its policy is in docs/deploying.md. Null: keys that AWS owns."
  type        = string
  default     = null
}

variable "token_keys_recovery_days" {
  description = "How long the secret with the token keys can be restored after the stack was destroyed: 7 to 30 days, or 0 to delete it at once. Until it is gone no stack of this name can be made."
  type        = number
  default     = 7

  validation {
    condition     = contains(concat([0], range(7, 31)), var.token_keys_recovery_days)
    error_message = "Secrets Manager takes 0, or 7 to 30 days."
  }
}

variable "domains" {
  description = "Custom domain names for the APIs: a name, a certificate of ACM in this region and, if Route 53 shall point to it, the zone."
  type = object({
    websocket = optional(object({ name = string, certificate_arn = string, zone_id = optional(string) }))
    http      = optional(object({ name = string, certificate_arn = string, zone_id = optional(string) }))
  })
  default = {}

  validation {
    condition     = try(var.domains.websocket.name != var.domains.http.name, true)
    error_message = "API Gateway lets a WebSocket and an HTTP API share no name: give each its own."
  }
}

variable "gradual_deployment" {
  description = "How new versions of the functions take over, as a deployment configuration of CodeDeploy: LambdaCanary10Percent5Minutes, LambdaLinear10PercentEvery1Minute and so on. `infra/release` then moves the aliases after an apply. Null: the apply moves them at once."
  type        = string
  default     = null

  validation {
    condition     = var.gradual_deployment == null ? true : can(regex("^Lambda(Canary10Percent(5|10|15|30)Minutes|Linear10PercentEvery(1|2|3|10)Minutes?|AllAtOnce)$", var.gradual_deployment))
    error_message = "CodeDeploy has LambdaCanary10Percent5Minutes, 10Minutes, 15Minutes and 30Minutes, LambdaLinear10PercentEvery1Minute, 2Minutes, 3Minutes and 10Minutes, and LambdaAllAtOnce."
  }
}
