# Subscriptions, quotes, prices and loads over HTTP. API Gateway itself answers preflights of pages.

locals {
  http_routes = merge(var.load_over_http ? { "POST /load" = "load" } : {}, {
    "PUT /subscribe"        = "subscribe"
    "POST /quotes"          = "http-api"
    "GET /quotes/{id}"      = "http-api"
    "HEAD /quotes/{id}"     = "http-api"
    "GET /prices/{client}"  = "http-api"
    "HEAD /prices/{client}" = "http-api"
    "POST /prices/{client}" = "http-api"
  })
  # These routes need a token, however other clients are let in.
  token_routes = ["POST /load"]
}

resource "aws_apigatewayv2_api" "http" {
  name          = "${var.stack}-http"
  description   = "ocache: subscriptions, quotes and prices"
  tags          = local.tags
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.allowed_origins) > 0 ? [var.allowed_origins] : []
    content {
      allow_origins = cors_configuration.value
      allow_methods = ["GET", "HEAD", "POST", "PUT"]
      # The same as in the local gateway.
      allow_headers  = ["authorization", "content-type", "if-none-match", "prefer", "traceparent"]
      expose_headers = ["etag", "link", "location", "ocache-priced-at", "ocache-stale", "preference-applied", "retry-after"]
      max_age        = 600
    }
  }
}

resource "aws_apigatewayv2_integration" "http" {
  for_each = toset(values(local.http_routes))

  api_id                 = aws_apigatewayv2_api.http.id
  integration_type       = "AWS_PROXY"
  integration_uri        = local.alias[each.key].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "http" {
  for_each = local.http_routes

  api_id             = aws_apigatewayv2_api.http.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.http[each.value].id}"
  authorization_type = contains(local.token_routes, each.key) ? "CUSTOM" : local.authorization_type
  authorizer_id      = local.uses_tokens || contains(local.token_routes, each.key) ? one(aws_apigatewayv2_authorizer.http[*].id) : null
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
      format          = local.access_log_formats["http"]
    }
  }
}

resource "aws_lambda_permission" "http" {
  for_each = toset(values(local.http_routes))

  statement_id  = "HttpMayInvoke"
  action        = "lambda:InvokeFunction"
  function_name = local.alias[each.key].function_name
  qualifier     = local.alias[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*"
}

# Up to version 0.1.0 there was one route.
moved {
  from = aws_apigatewayv2_integration.subscribe
  to   = aws_apigatewayv2_integration.http["subscribe"]
}

moved {
  from = aws_apigatewayv2_route.subscribe
  to   = aws_apigatewayv2_route.http["PUT /subscribe"]
}

moved {
  from = aws_lambda_permission.http
  to   = aws_lambda_permission.http["subscribe"]
}
