# One page that shows whether quotes are answered, whether calculations keep up, and whether there are dead
# letters.

data "aws_region" "current" {}

locals {
  # One line of a graph for each of several names.
  lines = {
    invocations = [for name in keys(local.functions) : ["AWS/Lambda", "Invocations", "FunctionName", "${var.stack}-${name}", { stat = "Sum" }]]
    duration    = [for name in keys(local.functions) : ["AWS/Lambda", "Duration", "FunctionName", "${var.stack}-${name}", { stat = "p99" }]]
    errors      = [for name in keys(local.functions) : ["AWS/Lambda", "Errors", "FunctionName", "${var.stack}-${name}", { stat = "Sum" }]]
    throttles   = [for name in keys(local.functions) : ["AWS/Lambda", "Throttles", "FunctionName", "${var.stack}-${name}", { stat = "Sum" }]]
    concurrency = [for name in keys(local.functions) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", "${var.stack}-${name}", { stat = "Maximum" }]]
    waiting     = [for queue in aws_sqs_queue.live : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { stat = "Maximum" }]]
    age         = [for queue in aws_sqs_queue.live : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name, { stat = "Maximum" }]]
    dead        = [for queue in aws_sqs_queue.dead : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { stat = "Maximum" }]]
    reads       = [for table in aws_dynamodb_table.this : ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", table.name, { stat = "Sum" }]]
    writes      = [for table in aws_dynamodb_table.this : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", table.name, { stat = "Sum" }]]
  }

  graphs = [
    { title = "messages waiting", lines = local.lines.waiting },
    { title = "age of the oldest message (s)", lines = local.lines.age },
    { title = "dead letters", lines = local.lines.dead },
    { title = "invocations", lines = local.lines.invocations },
    { title = "duration, p99 (ms)", lines = local.lines.duration },
    { title = "errors", lines = local.lines.errors },
    { title = "invocations at once", lines = local.lines.concurrency },
    { title = "throttled invocations", lines = local.lines.throttles },
    { title = "table reads (units)", lines = local.lines.reads },
    { title = "table writes (units)", lines = local.lines.writes },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.stack
  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      x      = 8 * (index % 3)
      y      = 6 * floor(index / 3)
      width  = 8
      height = 6
      properties = {
        title   = graph.title
        region  = data.aws_region.current.name
        view    = "timeSeries"
        period  = 60
        metrics = graph.lines
      }
    }]
  })
}
