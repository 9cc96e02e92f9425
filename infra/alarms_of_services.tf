# Alarms on refusals and failures of the services: throttled calls and failed requests.

# Events of a queue come again, those of the schedule do not, and a client's request gets an error.
resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = local.functions

  alarm_name          = "${local.alarm}throttles-${each.key}"
  alarm_description   = "Invocations of ${each.key} are refused: the account has no concurrency left."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
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

# DynamoDB has one metric for reads and one for writes, and reports them only if there are any. Ticks cause
# most of them.
resource "aws_cloudwatch_metric_alarm" "table_throttles" {
  for_each = local.tables

  alarm_name          = "${local.alarm}throttles-table-${each.key}"
  alarm_description   = "Reads or writes of ${each.key} are refused: a hot item, or the quota of the table."
  evaluation_periods  = local.looks_back["refresh"].periods
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags

  metric_query {
    id          = "throttled"
    label       = "throttled reads and writes"
    expression  = "FILL(reads, 0) + FILL(writes, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { reads = "ReadThrottleEvents", writes = "WriteThrottleEvents" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value
        dimensions  = { TableName = aws_dynamodb_table.this[each.key].name }
        stat        = "Sum"
        period      = local.looks_back["refresh"].period
      }
    }
  }
}

# The HTTP API counts its answers by status.
resource "aws_cloudwatch_metric_alarm" "http_failures" {
  alarm_name          = "${local.alarm}http-5xx"
  alarm_description   = "Requests over HTTP are answered with 5xx."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.http.id }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

# The WebSocket API has no 5xx metric. These are the errors behind it and in it.
resource "aws_cloudwatch_metric_alarm" "websocket_failures" {
  alarm_name          = "${local.alarm}websocket-failures"
  alarm_description   = "Frames or connections of the websocket fail on the side of AWS."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags

  metric_query {
    id          = "failed"
    label       = "failed frames and connections"
    expression  = "FILL(integration, 0) + FILL(execution, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { integration = "IntegrationError", execution = "ExecutionError" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        dimensions  = { ApiId = aws_apigatewayv2_api.websocket.id }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}
