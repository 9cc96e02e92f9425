# The queues, their dead letters, and the topic, as `ocache provision` makes them. A test compares the two.

locals {
  # Lambda refuses a queue whose visibility timeout is shorter than its function's timeout.
  function_timeout_secs = 10

  dead_visibility_secs = 60
  max_receives         = 10
  max_message_bytes    = 256 * 1024
  dead_retention_secs  = 14 * 24 * 60 * 60
  queue_retention_secs = 4 * 24 * 60 * 60

  queues = {
    # If a function crashes, its messages come again after `visibility_secs`. Messages that it reports as
    # failed come again sooner, because the function says when. Lambda demands at least the function's
    # timeout, and advises six times that, for invocations that are throttled. Where a client waits, that
    # would be longer than a quotation may take, and max_concurrency keeps these invocations from being
    # throttled. A message that comes twice does no harm.

    # Scheduled calculations. Every tick repeats them, so an old one need not be kept.
    refresh = { fifo = true, retention_secs = 10 * 60, visibility_secs = max(60, var.price_calc_timeout_secs) }
    # Urgent calculations.
    quotation = { fifo = true, retention_secs = local.queue_retention_secs, visibility_secs = var.price_calc_timeout_secs }
    # Quotations to answer.
    provider = { fifo = false, retention_secs = local.queue_retention_secs, visibility_secs = 10 }
  }
}

resource "aws_sqs_queue" "dead" {
  for_each = local.queues

  name                       = "${var.stack}-${each.key}-dlq${each.value.fifo ? ".fifo" : ""}"
  message_retention_seconds  = local.dead_retention_secs
  visibility_timeout_seconds = local.dead_visibility_secs
  max_message_size           = local.max_message_bytes
  kms_master_key_id          = var.kms_key_arn
  tags                       = local.tags

  fifo_queue                  = each.value.fifo
  content_based_deduplication = each.value.fifo ? false : null
  deduplication_scope         = each.value.fifo ? "messageGroup" : null
  fifo_throughput_limit       = each.value.fifo ? "perMessageGroupId" : null
}

resource "aws_sqs_queue" "live" {
  for_each = local.queues

  name                       = "${var.stack}-${each.key}${each.value.fifo ? ".fifo" : ""}"
  message_retention_seconds  = each.value.retention_secs
  visibility_timeout_seconds = each.value.visibility_secs
  max_message_size           = local.max_message_bytes
  kms_master_key_id          = var.kms_key_arn
  tags                       = local.tags

  # High-throughput mode: throughput and deduplication are per group.
  fifo_queue                  = each.value.fifo
  content_based_deduplication = each.value.fifo ? false : null
  deduplication_scope         = each.value.fifo ? "messageGroup" : null
  fifo_throughput_limit       = each.value.fifo ? "perMessageGroupId" : null

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = local.max_receives
  })
}

resource "aws_sns_topic" "quotations" {
  name              = "${var.stack}-quotations"
  kms_master_key_id = var.kms_key_arn
  tags              = local.tags
}

# The topic's policy allows nothing, because principals of the account publish by their own policies. SNS
# takes no wildcard here, and of a stage's calls only publishing can be denied.
resource "aws_sns_topic_policy" "quotations" {
  arn = aws_sns_topic.quotations.arn
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.only_over_tls, { Action = "sns:Publish", Resource = aws_sns_topic.quotations.arn })]
  })
}

resource "aws_sns_topic_subscription" "provider" {
  topic_arn            = aws_sns_topic.quotations.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.live["provider"].arn
  raw_message_delivery = true

  # What cannot be delivered goes to the dead letters of quotations, so that both kinds are found, and sent
  # again, in one place.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead["provider"].arn })

  # Messages that are published before the topic may send to the queue are lost.
  depends_on = [aws_sqs_queue_policy.live, aws_sqs_queue_policy.dead]
}

locals {
  # Denies unencrypted requests, whoever makes them.
  only_over_tls = {
    Sid       = "OnlyOverTls"
    Effect    = "Deny"
    Principal = "*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  # Lets this topic, and no other, send to the queue to which it delivers, or to the one for what it cannot
  # deliver.
  topic_may_send = {
    Sid       = "TopicMaySend"
    Effect    = "Allow"
    Principal = { Service = "sns.amazonaws.com" }
    Action    = "sqs:SendMessage"
    Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.quotations.arn } }
  }
}

locals {
  # The statements for a queue and for its dead letters.
  queue_statements = {
    for name, _ in local.queues : name => concat(
      [merge(local.only_over_tls, { Action = "sqs:*" })],
      [for statement in [local.topic_may_send] : statement if name == "provider"],
    )
  }
}

resource "aws_sqs_queue_policy" "live" {
  for_each = aws_sqs_queue.live

  queue_url = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.queue_statements[each.key] : merge(statement, { Resource = each.value.arn })]
  })
}

resource "aws_sqs_queue_policy" "dead" {
  for_each = aws_sqs_queue.dead

  queue_url = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.queue_statements[each.key] : merge(statement, { Resource = each.value.arn })]
  })
}

moved {
  from = aws_sqs_queue_policy.topic["live"]
  to   = aws_sqs_queue_policy.live["provider"]
}

moved {
  from = aws_sqs_queue_policy.topic["dead"]
  to   = aws_sqs_queue_policy.dead["provider"]
}
