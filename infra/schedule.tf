# The refresh: a tick at every interval. A tick that is late has been overtaken by the next one, so
# nothing repeats it: not the rule's delivery, not Lambda's own queue of events.

resource "aws_cloudwatch_event_rule" "refresh" {
  name                = "${var.stack}-refresh"
  description         = "ocache: orders a calculation for every active user"
  tags                = local.tags
  schedule_expression = var.refresh_every_mins == 1 ? "rate(1 minute)" : "rate(${var.refresh_every_mins} minutes)"
}

resource "aws_cloudwatch_event_target" "refresh" {
  rule = aws_cloudwatch_event_rule.refresh.name
  arn  = local.alias["refresh"].arn

  retry_policy {
    maximum_retry_attempts       = 0
    maximum_event_age_in_seconds = 60
  }
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
  source_arn    = aws_cloudwatch_event_rule.refresh.arn
}
