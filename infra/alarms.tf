# The alarms. docs/deploying.md says what each means and what to do.

locals {
  alarm = "${var.stack}-"
  # Known when planning, unlike the ARNs of topics that are made with the stack.
  has_emails = length(var.alarm_emails) > 0
  told       = concat(var.alarm_topic_arns, aws_sns_topic.alarms[*].arn)

  # What a function logs when it reports a part of its batch as failed.
  failure_messages = merge(
    { for consumer in local.consumers : consumer.function => "a message was not handled"... },
    local.has_sources ? { load-changes = ["a record was not loaded"] } : {},
  )

  # After how many minutes the same failure comes again. Ticks cause the invocations of refresh, and order
  # most calculations. The message of a calculation that crashed is hidden for a while.
  fails_again_mins = merge({ for name in keys(local.functions) : name => 1 }, {
    refresh    = var.refresh_every_mins
    price-calc = max(var.refresh_every_mins, ceil(local.queues.refresh.visibility_secs / 60))
  })
  # Alarms look at three times as many minutes, and go off if something failed in two of them. CloudWatch
  # looks back a day at most, and seven days in periods of an hour.
  looks_back = {
    for name, mins in local.fails_again_mins : name =>
    mins > 480 ? { period = 3600, periods = ceil(3 * mins / 60) } : { period = 60, periods = 3 * mins }
  }
}

# A message failed ten times and is a dead letter. If it was a change of a source table, the prices differ
# from that table.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = merge(
    {
      for name in keys(local.queues) : name => {
        queue       = aws_sqs_queue.dead[name].name
        description = "Messages of the ${name} queue were given up: `ocache dead-letters list --queue ${name}`."
      }
    },
    local.has_sources ? {
      source-tables = {
        queue       = one(aws_sqs_queue.source_dead).name
        description = "Changes of source tables were given up: see the log group of load-changes for the rows and the reasons."
      }
    } : {},
  )

  alarm_name          = "${local.alarm}dead-letters-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

# A quotation was published and not delivered. Its client is told at the deadline that it has failed.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  for_each = {
    undelivered = { metric = "NumberOfNotificationsFailed", description = "The topic could not deliver quotations to the provider queue: `ocache doctor`." }
    lost        = { metric = "NumberOfNotificationsFailedToRedriveToDlq", description = "The topic could neither deliver quotations nor put them into provider-dlq: `ocache doctor`." }
  }

  alarm_name          = "${local.alarm}${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SNS"
  metric_name         = each.value.metric
  dimensions          = { TopicName = aws_sns_topic.quotations.name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

moved {
  from = aws_cloudwatch_metric_alarm.undelivered
  to   = aws_cloudwatch_metric_alarm.undelivered["undelivered"]
}

# Messages wait in a queue for too long, each queue by its own measure.
resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = {
    # A quotation whose deadline passes before its table is calculated has failed.
    urgent = {
      queue       = "quotation"
      secs        = var.quote_within_secs / 2
      description = "Urgent calculations wait for so long that cold quotes may fail."
    }
    # This queue also has the messages that come at deadlines. Each is delayed until just after its deadline,
    # and counts as old meanwhile, so that an earlier alarm would always be on.
    provider = {
      queue       = "provider"
      secs        = 1.5 * var.quote_within_secs
      description = "Quotations wait for so long to be answered that they fail."
    }
    # The next tick repeats every order. A tick may send for nearly an interval, so orders
    # that are older than one interval show that calculations do not keep up. With a slow schedule the queue
    # deletes orders before that, so the alarm comes two minutes earlier than that.
    refresh = {
      queue       = "refresh"
      secs        = min(60 * var.refresh_every_mins, local.queues.refresh.retention_secs - 120)
      description = "Scheduled calculations do not keep up with the schedule: raise max_concurrency.refresh."
    }
  }

  alarm_name          = "${local.alarm}${each.key}-age"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.live[each.value.queue].name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.secs
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

moved {
  from = aws_cloudwatch_metric_alarm.urgent_age
  to   = aws_cloudwatch_metric_alarm.age["urgent"]
}

# An invocation ended without a result: it crashed, or ran out of time or memory.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.functions

  alarm_name          = "${local.alarm}errors-${each.key}"
  alarm_description   = "Invocations of ${each.key} fail as a whole: see its log group."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this[each.key].function_name }
  statistic           = "Sum"
  period              = local.looks_back[each.key].period
  evaluation_periods  = local.looks_back[each.key].periods
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

# A failed message does not make the invocation fail, so only the log shows it.
resource "aws_cloudwatch_log_metric_filter" "failed_messages" {
  for_each = local.failure_messages

  name           = "${var.stack}-${each.key}-failed-messages"
  log_group_name = aws_cloudwatch_log_group.function[each.key].name
  pattern        = "{ $.message = \"${each.value[0]}\" }"

  metric_transformation {
    namespace = "ocache"
    name      = "${var.stack}-${each.key}-failed-messages"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed_messages" {
  for_each = aws_cloudwatch_log_metric_filter.failed_messages

  alarm_name          = "${local.alarm}failed-messages-${each.key}"
  alarm_description   = "Messages of ${each.key} fail and come again: see its log group for the reason."
  namespace           = one(each.value.metric_transformation).namespace
  metric_name         = one(each.value.metric_transformation).name
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

# Without the refresh every table becomes stale, and in the end unusable.
resource "aws_cloudwatch_metric_alarm" "no_refresh" {
  alarm_name          = "${local.alarm}no-refresh"
  alarm_description   = "The schedule has not run for three intervals: tables go stale."
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = aws_lambda_function.this["refresh"].function_name }
  statistic           = "Sum"
  period              = 60 * var.refresh_every_mins
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}
