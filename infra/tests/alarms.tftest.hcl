# Tests that alarms can go off. CloudWatch needs `datapoints_to_alarm` breaching periods in the
# `evaluation_periods` at which it looks.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
}

run "two_of_three_minutes_set_off_an_alarm" {
  command = plan

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.throttles)) :
      alarm.period == 60 && alarm.evaluation_periods == 3 && alarm.datapoints_to_alarm == 2
    ])
    error_message = "With a tick in each minute, nothing has to be looked at for longer."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.table_throttles : alarm.evaluation_periods == 3 && alarm.datapoints_to_alarm == 2])
    error_message = "Nor has a table."
  }

  assert {
    condition = (
      { for alarm in aws_cloudwatch_metric_alarm.table_throttles : alarm.alarm_name => alarm.metric_name }
      == merge([for table in keys(local.tables) : {
        "organic-cache-throttles-table-${table}-reads"  = "ReadThrottleEvents"
        "organic-cache-throttles-table-${table}-writes" = "WriteThrottleEvents"
      }]...)
    )
    error_message = "A table reports reads and writes each by itself, so each has an alarm."
  }

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.table_throttles), values(aws_cloudwatch_metric_alarm.websocket_failures)) : length(alarm.metric_query) == 0])
    error_message = "No alarm depends on how metric math treats a metric without values."
  }
}

run "old_messages_set_off_an_alarm_before_they_are_gone" {
  command = plan

  assert {
    condition     = { for queue, alarm in aws_cloudwatch_metric_alarm.age : queue => alarm.threshold } == { urgent = 15, provider = 45, refresh = 60 }
    error_message = "Each queue has its own limit."
  }

  assert {
    condition     = { for queue, alarm in aws_cloudwatch_metric_alarm.age : queue => alarm.dimensions.QueueName } == { urgent = "organic-cache-quotation.fifo", provider = "organic-cache-provider", refresh = "organic-cache-refresh.fifo" }
    error_message = "Each alarm looks at its queue."
  }
}

run "messages_that_wait_for_a_deadline_are_not_too_old" {
  command = plan

  variables {
    quote_within_secs = 600
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age["provider"].threshold > var.quote_within_secs + 1
    error_message = "The message that comes at a deadline sets off the alarm."
  }
}

run "failing_ticks_of_a_slow_schedule_set_off_an_alarm" {
  command = plan

  variables {
    refresh_every_mins = 5
    usable_for_secs    = 900
    gradual_deployment = "LambdaLinear10PercentEvery10Minutes"
  }

  assert {
    condition = alltrue([
      for alarm in flatten([
        for alarms in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.throttles] : [alarms["refresh"], alarms["price-calc"]]
      ]) :
      alarm.period <= 300 && floor(alarm.period * alarm.evaluation_periods / 300) >= alarm.datapoints_to_alarm
    ])
    error_message = "The alarms of refresh and price-calc look at fewer ticks than they need."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.table_throttles :
      alarm.period <= 300 && floor(alarm.period * alarm.evaluation_periods / 300) >= alarm.datapoints_to_alarm
    ])
    error_message = "The alarms of tables look at fewer ticks than they need."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age["refresh"].threshold == 300
    error_message = "Orders of a slow schedule may wait for longer."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors["http-api"].evaluation_periods == 3
    error_message = "What clients cause does not depend on the schedule."
  }

  assert {
    condition     = contains(one(aws_codedeploy_deployment_group.this["refresh"].alarm_configuration).alarms, aws_cloudwatch_metric_alarm.errors["refresh"].alarm_name)
    error_message = "The same alarm takes back a release of refresh."
  }
}

run "calculations_that_crash_come_again_late" {
  command = plan

  variables {
    price_calc_timeout_secs = 600
  }

  assert {
    condition     = floor(60 * aws_cloudwatch_metric_alarm.errors["price-calc"].evaluation_periods / aws_sqs_queue.live["refresh"].visibility_timeout_seconds) >= aws_cloudwatch_metric_alarm.errors["price-calc"].datapoints_to_alarm
    error_message = "A message that makes price-calc crash is hidden for longer than the alarm looks back."
  }
}

run "cloudwatch_looks_back_far_enough_for_the_slowest_schedule" {
  command = plan

  variables {
    refresh_every_mins = 1440
    fresh_for_secs     = 172800
    usable_for_secs    = 259200
    keep_tables_secs   = 518400
  }

  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.errors),
        values(aws_cloudwatch_metric_alarm.throttles),
        values(aws_cloudwatch_metric_alarm.table_throttles),
        [aws_cloudwatch_metric_alarm.no_refresh],
      ) :
      alarm.period <= 86400 && alarm.period * alarm.evaluation_periods <= (alarm.period < 3600 ? 86400 : 604800)
    ])
    error_message = "CloudWatch looks back a day, or seven days if a period is at least an hour."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age["refresh"].threshold + 60 * aws_cloudwatch_metric_alarm.age["refresh"].datapoints_to_alarm <= aws_sqs_queue.live["refresh"].message_retention_seconds
    error_message = "The queue deletes orders before they are too old for the alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.errors["refresh"].period * aws_cloudwatch_metric_alarm.errors["refresh"].evaluation_periods >= aws_cloudwatch_metric_alarm.errors["refresh"].datapoints_to_alarm * 86400
    error_message = "The alarm looks at fewer ticks than it needs."
  }
}

run "a_schedule_is_not_slower_than_the_longest_period" {
  command = plan

  variables {
    refresh_every_mins = 1441
    fresh_for_secs     = 180000
    usable_for_secs    = 300000
    keep_tables_secs   = 600000
  }

  expect_failures = [var.refresh_every_mins]
}
