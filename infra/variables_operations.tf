# How it is watched, kept and reached.

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off, when it is over, and when the budget is nearly spent. Their policies must let CloudWatch, and Budgets, publish."
  type        = list(string)
  default     = []
}

variable "alarm_emails" {
  description = "Addresses that are told the same, by a topic that is made for them. Each has to confirm a mail first."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What the stack may cost in a month, in US dollars. Who is told of alarms is told when 80 % of it is spent, or more than all of it is expected to be. Null: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "A budget is more than nothing."
  }
}

variable "access_logs" {
  description = "Which APIs log each request. That of the websocket can only once the region's API Gateway has a role to log with: see docs/deploying.md."
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
  description = "A key of yours that tables, queues, topics, logs, the token keys and the functions' variables are encrypted with; its policy is in docs/deploying.md. Null: keys that AWS owns."
  type        = string
  default     = null
}

variable "token_keys_recovery_days" {
  description = "How long the secret with the token keys can be restored after the stack was destroyed, 7 to 30 days, or 0: deleted at once. Until it is gone no stack of this name can be made."
  type        = number
  default     = 7

  validation {
    condition     = contains(concat([0], range(7, 31)), var.token_keys_recovery_days)
    error_message = "Secrets Manager takes 0, or 7 to 30 days."
  }
}

variable "domains" {
  description = "Names of your own for the APIs: a name, a certificate of ACM in this region and, if Route 53 shall point to it, the zone."
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
  description = "How new versions of the functions take over, as CodeDeploy calls it: LambdaCanary10Percent5Minutes, LambdaLinear10PercentEvery1Minute and so on. Then `infra/release` moves the aliases after an apply. Null: the apply does, at once."
  type        = string
  default     = null

  validation {
    condition     = var.gradual_deployment == null ? true : can(regex("^Lambda(Canary10Percent(5|10|15|30)Minutes|Linear10PercentEvery(1|2|3|10)Minutes?|AllAtOnce)$", var.gradual_deployment))
    error_message = "CodeDeploy has LambdaCanary10Percent5Minutes, 10Minutes, 15Minutes and 30Minutes, LambdaLinear10PercentEvery1Minute, 2Minutes, 3Minutes and 10Minutes, and LambdaAllAtOnce."
  }
}
