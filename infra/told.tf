# Who is notified: topics of yours, and a topic of the stack for e-mail addresses.

resource "aws_sns_topic" "alarms" {
  count = local.has_emails ? 1 : 0

  name              = "${var.stack}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = local.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = local.has_emails ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      merge(local.only_over_tls, { Action = "sns:Publish", Resource = aws_sns_topic.alarms[0].arn }),
      {
        Sid       = "AlarmsAndBudgetsMayPublish"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms[0].arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# Both checks only warn, so a plan does not fail because somebody has not read a mail yet.
check "somebody_is_told" {
  assert {
    condition     = local.has_emails || length(var.alarm_topic_arns) > 0
    error_message = "No alarm of ${var.stack} tells anybody: set alarm_emails or alarm_topic_arns."
  }
}

check "addresses_are_confirmed" {
  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.alarms : !subscription.pending_confirmation])
    error_message = "An address of alarm_emails has not confirmed its subscription, and is not told: look for a mail from AWS Notifications."
  }
}

# The budget of the stack, by its tag. Billing must know the tag; see docs/deploying.md.
resource "aws_budgets_budget" "this" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = "${var.stack}-monthly"
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  tags         = local.tags

  cost_filter {
    name = "TagKeyValue"
    # In a text, two dollar signs before a brace would be one and no variable.
    values = [join("$", ["user:stack", var.stack])]
  }

  dynamic "notification" {
    # What was spent, and what is expected until the end of the month, each in percent.
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      notification_type          = notification.key
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_sns_topic_arns  = var.alarm_topic_arns
      subscriber_email_addresses = var.alarm_emails
    }
  }

  lifecycle {
    precondition {
      condition     = local.has_emails || length(var.alarm_topic_arns) > 0
      error_message = "A budget that tells nobody is none: set alarm_emails or alarm_topic_arns."
    }
  }
}
