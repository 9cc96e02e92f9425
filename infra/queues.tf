# The queues, their dead letters, and the topic, as `ocache provision` makes them; a test compares
# the two.

locals {
  # The longest that AWS lets a function work on messages that are hidden for as long.
  function_timeout_secs = 10

  dead_visibility_secs = 60
  max_receives         = 10
  max_message_bytes    = 256 * 1024
  dead_retention_secs  = 14 * 24 * 60 * 60
  queue_retention_secs = 4 * 24 * 60 * 60

  queues = {
    # What a function that crashed had in its hands comes again after `visibility_secs`. What it reports
    # as failed comes again sooner, because the function says when. Lambda takes no less than the
    # function's timeout, and advises six times that, for invocations that are throttled. Where a client
    # waits, that would be longer than a quotation may take; and max_concurrency keeps these
    # invocations from being throttled. A message that comes twice does no harm.

    # Scheduled calculations: every tick repeats them, so an old one need not wait.
    refresh = { fifo = true, retention_secs = 10 * 60, visibility_secs = 60 }
    # Urgent calculations.
    quotation = { fifo = true, retention_secs = local.queue_retention_secs, visibility_secs = 10 }
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

  # High-throughput mode: ids are remembered per group, and throughput is counted per group.
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
  name = "${var.stack}-quotations"
}

resource "aws_sns_topic_subscription" "provider" {
  topic_arn            = aws_sns_topic.quotations.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.live["provider"].arn
  raw_message_delivery = true

  # What cannot be delivered goes to where quotations go that are given up, so that both are found, and
  # sent again, in one place.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead["provider"].arn })

  # What is published before the topic may send to the queue is lost.
  depends_on = [aws_sqs_queue_policy.topic]
}

# Lets this topic, and no other, send to the queue that it delivers to, or that it puts into what it
# cannot deliver.
resource "aws_sqs_queue_policy" "topic" {
  for_each = {
    live = aws_sqs_queue.live["provider"]
    dead = aws_sqs_queue.dead["provider"]
  }

  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TopicMaySend"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.quotations.arn } }
    }]
  })
}
