# PUT /subscribe.

resource "aws_apigatewayv2_api" "http" {
  name          = "${var.stack}-http"
  description   = "ocache: subscriptions"
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.allowed_origins) > 0 ? [var.allowed_origins] : []
    content {
      allow_origins = cors_configuration.value
      allow_methods = ["GET", "HEAD", "POST", "PUT"]
      # As the local gateway does.
      allow_headers  = ["authorization", "content-type", "if-none-match", "prefer", "traceparent"]
      expose_headers = ["etag", "link", "location", "ocache-priced-at", "ocache-stale", "preference-applied", "retry-after"]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "subscribe" {
  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this["subscribe"].invoke_arn
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

  default_route_settings {
    throttling_burst_limit = var.throttle.burst
    throttling_rate_limit  = var.throttle.per_secs
  }
}

resource "aws_lambda_permission" "http" {
  statement_id  = "HttpMayInvoke"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["subscribe"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*/PUT/subscribe"
}
