# The queues, their dead letters, and the topic, as `ocache provision` makes them; a test compares
# the two.

locals {
  # What a function does not report comes again after this time: six times its timeout, as Lambda
  # wants it. What it reports as failed comes again sooner, because the function says when.
  visibility_secs       = 60
  function_timeout_secs = local.visibility_secs / 6

  max_receives         = 10
  max_message_bytes    = 256 * 1024
  dead_retention_secs  = 14 * 24 * 60 * 60
  queue_retention_secs = 4 * 24 * 60 * 60

  queues = {
    # Scheduled calculations: every tick repeats them, so an old one need not wait.
    refresh = { fifo = true, retention_secs = 10 * 60 }
    # Urgent calculations.
    quotation = { fifo = true, retention_secs = local.queue_retention_secs }
    # Quotations to answer.
    provider = { fifo = false, retention_secs = local.queue_retention_secs }
  }
}

resource "aws_sqs_queue" "dead" {
  for_each = local.queues

  name                       = "${var.stack}-${each.key}-dlq${each.value.fifo ? ".fifo" : ""}"
  message_retention_seconds  = local.dead_retention_secs
  visibility_timeout_seconds = local.visibility_secs
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
  visibility_timeout_seconds = local.visibility_secs
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

  # What is published before the topic may send to the queue is lost.
  depends_on = [aws_sqs_queue_policy.provider]
}

# Lets this topic, and no other, send to the provider queue.
resource "aws_sqs_queue_policy" "provider" {
  queue_url = aws_sqs_queue.live["provider"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TopicMaySend"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.live["provider"].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.quotations.arn } }
    }]
  })
}
