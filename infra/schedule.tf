# The refresh: a tick at every interval, by one invocation or, for many users, by several side by side. A
# late tick is superseded by the next one, so nothing repeats it: neither the rule's delivery nor Lambda's
# own queue of events.

locals {
  # A rule has at most five targets, so the parts of refresh_parts may need several rules. The first has the
  # name that a single rule would have.
  targets_of_rule = 5
  schedule_rules = {
    for number in range(ceil(var.refresh_parts / local.targets_of_rule)) :
    tostring(number) => number == 0 ? "${var.stack}-refresh" : "${var.stack}-refresh-${number + 1}"
  }
  # One pattern for all rules, because the policy of a function has no room for a hundred ARNs.
  refresh_names  = "${var.stack}-refresh*"
  refresh_rules  = "${local.arn_of_service}:events:${data.aws_region.current.name}:${local.account}:rule/${local.refresh_names}"
  schedule_parts = { for part in range(var.refresh_parts) : tostring(part) => tostring(floor(part / local.targets_of_rule)) }
}

resource "aws_cloudwatch_event_rule" "refresh" {
  for_each = local.schedule_rules

  name                = each.value
  description         = "ocache: orders a calculation for every active customer"
  tags                = local.tags
  schedule_expression = var.refresh_every_mins == 1 ? "rate(1 minute)" : "rate(${var.refresh_every_mins} minutes)"
}

# Each target is an invocation for a part of the users. If one fails, the others are not affected.
resource "aws_cloudwatch_event_target" "refresh" {
  for_each = local.schedule_parts

  rule      = aws_cloudwatch_event_rule.refresh[each.value].name
  target_id = "part-${each.key}"
  arn       = local.alias["refresh"].arn

  input_transformer {
    input_paths    = { time = "$.time" }
    input_template = "{\"time\": <time>, \"part\": ${each.key}, \"parts\": ${var.refresh_parts}}"
  }

  retry_policy {
    maximum_retry_attempts       = 0
    maximum_event_age_in_seconds = 60
  }
}

moved {
  from = aws_cloudwatch_event_rule.refresh
  to   = aws_cloudwatch_event_rule.refresh["0"]
}

moved {
  from = aws_cloudwatch_event_target.refresh
  to   = aws_cloudwatch_event_target.refresh["0"]
}

moved {
  from = aws_lambda_permission.schedule["0"]
  to   = aws_lambda_permission.schedule
}

resource "aws_lambda_function_event_invoke_config" "refresh" {
  function_name                = local.alias["refresh"].function_name
  qualifier                    = local.alias["refresh"].name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_lambda_permission" "schedule" {
  statement_id  = "ScheduleMayInvoke"
  action        = "lambda:InvokeFunction"
  function_name = local.alias["refresh"].function_name
  qualifier     = local.alias["refresh"].name
  principal     = "events.amazonaws.com"
  source_arn    = local.refresh_rules
}
