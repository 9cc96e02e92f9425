# One line for each request of an API, and for each frame of the websocket. No line has the query of a URL,
# because browsers put their token there.

locals {
  access_log_fields = {
    request_id        = "$context.requestId"
    time              = "$context.requestTime"
    source_ip         = "$context.identity.sourceIp"
    route             = "$context.routeKey"
    status            = "$context.status"
    authorizer_error  = "$context.authorizer.error"
    integration_error = "$context.integrationErrorMessage"
  }
  # An HTTP API has no connections.
  access_log_formats = {
    http      = jsonencode(local.access_log_fields)
    websocket = jsonencode(merge(local.access_log_fields, { connection_id = "$context.connectionId" }))
  }
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338: log_retention_days decides; a year of logs may cost more than the work.
  for_each = toset([for api, logs in var.access_logs : api if logs])

  name              = "/aws/apigateway/${var.stack}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}
