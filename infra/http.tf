# PUT /subscribe.

resource "aws_apigatewayv2_api" "http" {
  name          = "${var.stack}-http"
  description   = "ocache: subscriptions"
  tags          = local.tags
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.allowed_origins) > 0 ? [var.allowed_origins] : []
    content {
      allow_origins = cors_configuration.value
      allow_methods = ["PUT"]
      allow_headers = ["authorization", "content-type"]
    }
  }
}

resource "aws_apigatewayv2_integration" "subscribe" {
  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = local.alias["subscribe"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "subscribe" {
  api_id             = aws_apigatewayv2_api.http.id
  route_key          = "PUT /subscribe"
  target             = "integrations/${aws_apigatewayv2_integration.subscribe.id}"
  authorization_type = local.authorization_type
  authorizer_id      = one(aws_apigatewayv2_authorizer.http[*].id)
}

resource "aws_apigatewayv2_stage" "http" {
  api_id      = aws_apigatewayv2_api.http.id
  name        = "$default"
  auto_deploy = true
  tags        = local.tags

  default_route_settings {
    throttling_burst_limit = var.throttle.burst
    throttling_rate_limit  = var.throttle.per_secs
  }

  dynamic "access_log_settings" {
    for_each = var.access_logs.http ? [aws_cloudwatch_log_group.access["http"].arn] : []
    content {
      destination_arn = access_log_settings.value
      format          = local.access_log_format
    }
  }
}

resource "aws_lambda_permission" "http" {
  statement_id  = "HttpMayInvoke"
  action        = "lambda:InvokeFunction"
  function_name = local.alias["subscribe"].function_name
  qualifier     = local.alias["subscribe"].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*/PUT/subscribe"
}
