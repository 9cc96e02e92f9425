# Loads the changes of other programs' tables. The streams of these tables wake one function, and a batch of
# records is one load. Without source tables none of this is made.

locals {
  has_sources = length(var.source_tables) > 0

  # The meanings of a table's attributes. The records name their table.
  source_layouts = {
    for source in values(var.source_tables) :
    regex(":table/([^/]+)/stream/", source.stream_arn)[0] => {
      columns        = source.columns
      ignore         = source.ignore
      ignore_unknown = source.ignore_unknown
    }
  }

  # What Lambda does on behalf of the function: it reads the streams, and stores what it gives up.
  source_grants = concat(
    [
      {
        actions   = ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"]
        resources = [for source in values(var.source_tables) : source.stream_arn]
      },
      {
        actions   = ["dynamodb:ListStreams"]
        resources = [for source in values(var.source_tables) : replace(source.stream_arn, "/\\/stream\\/.*$/", "/stream/*")]
      },
      { actions = ["sqs:SendMessage"], resources = aws_sqs_queue.source_dead[*].arn },
    ],
    [for key in compact([for source in values(var.source_tables) : source.kms_key_arn]) : { actions = ["kms:Decrypt"], resources = [key] }],
  )
}

resource "aws_lambda_event_source_mapping" "source" {
  for_each = var.source_tables

  event_source_arn = each.value.stream_arn
  function_name    = local.alias["load-changes"].arn
  tags             = local.tags

  # Changes from the time before the stack was ready are loaded too. Loading a row twice does no harm if its
  # last change is loaded last.
  starting_position = "TRIM_HORIZON"
  batch_size        = 500
  # Each load with a product makes a new base necessary, so changes are gathered.
  maximum_batching_window_in_seconds = each.value.window_secs

  # A record that cannot be loaded is isolated by halving its batch. It is tried as often as a message, and
  # then goes to a queue with an alarm, so that it does not hold up its shard. A shard has one load at a
  # time.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = local.max_receives
  parallelization_factor         = 1

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.source_dead[0].arn
    }
  }

  # Lambda checks the role when the mapping is made.
  depends_on = [aws_iam_role_policy.function]
}

# The records that were given up: the stream, the shard and their sequence numbers.
resource "aws_sqs_queue" "source_dead" {
  count = local.has_sources ? 1 : 0

  name                       = "${var.stack}-source-tables-dlq"
  message_retention_seconds  = local.dead_retention_secs
  visibility_timeout_seconds = local.dead_visibility_secs
  kms_master_key_id          = var.kms_key_arn
  tags                       = local.tags
}

resource "aws_sqs_queue_policy" "source_dead" {
  count = local.has_sources ? 1 : 0

  queue_url = aws_sqs_queue.source_dead[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.only_over_tls, { Action = "sqs:*", Resource = aws_sqs_queue.source_dead[0].arn })]
  })
}

# Prices lag behind the source tables.
resource "aws_cloudwatch_metric_alarm" "source_age" {
  count = local.has_sources ? 1 : 0

  alarm_name          = "${local.alarm}source-tables-age"
  alarm_description   = "Changes of source tables wait for more than five minutes to be loaded: see the log group of load-changes."
  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = aws_lambda_function.this["load-changes"].function_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5 * 60 * 1000
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}
