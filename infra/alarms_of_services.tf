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

# Reads and writes have a metric each, which has values only while some are refused. AWS does not document
# whether metric math can fill a metric that has no value at all, so each metric has an alarm. Ticks cause
# most reads and writes.
resource "aws_cloudwatch_metric_alarm" "table_throttles" {
  for_each = merge([
    for table in keys(local.tables) : {
      for kind in ["Read", "Write"] : "${table}-${lower(kind)}s" => { table = table, kind = kind }
    }
  ]...)

  alarm_name          = "${local.alarm}throttles-table-${each.key}"
  alarm_description   = "${each.value.kind}s of ${each.value.table} are refused: a hot item, or the quota of the table."
  namespace           = "AWS/DynamoDB"
  metric_name         = "${each.value.kind}ThrottleEvents"
  dimensions          = { TableName = aws_dynamodb_table.this[each.value.table].name }
  statistic           = "Sum"
  period              = local.looks_back["refresh"].period
  evaluation_periods  = local.looks_back["refresh"].periods
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
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
  for_each = {
    integration = { metric = "IntegrationError", description = "Functions fail for frames or connections of the websocket." }
    execution   = { metric = "ExecutionError", description = "API Gateway fails for frames or connections of the websocket." }
  }

  alarm_name          = "${local.alarm}websocket-failures-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  dimensions          = { ApiId = aws_apigatewayv2_api.websocket.id }
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
