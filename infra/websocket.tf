# The websocket. Frames are routed by their action. Replies go back as the route's response, and answers
# through the management API.

locals {
  stage = "live"

  # The routes of both dialects. `$default` gets frames with an unknown action, and says so.
  websocket_routes = {
    "$connect"    = "connect"
    "$disconnect" = "disconnect"
    "quote"       = "quotation-handler"
    "get"         = "quotation-handler"
    "ping"        = "quotation-handler"
    "MESSAGE"     = "quotation-handler"
    "PING"        = "quotation-handler"
    "$default"    = "quotation-handler"
  }
  replying_routes = { for key, function in local.websocket_routes : key => function if function == "quotation-handler" }

  # Answers are pushed here. The functions push nowhere else.
  management_endpoint = replace(aws_apigatewayv2_stage.websocket.invoke_url, "wss://", "https://")
}

resource "aws_apigatewayv2_api" "websocket" {
  name                       = "${var.stack}-websocket"
  description                = "ocache: quotes"
  tags                       = local.tags
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "websocket" {
  for_each = toset(values(local.websocket_routes))

  api_id                    = aws_apigatewayv2_api.websocket.id
  integration_type          = "AWS_PROXY"
  integration_method        = "POST"
  integration_uri           = local.alias[each.key].invoke_arn
  content_handling_strategy = "CONVERT_TO_TEXT"
}

resource "aws_apigatewayv2_route" "websocket" {
  # checkov:skip=CKV_AWS_309: API Gateway authorizes $connect alone; frames belong to a connection that was authorized.
  for_each = local.websocket_routes

  api_id             = aws_apigatewayv2_api.websocket.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.websocket[each.value].id}"
  authorization_type = each.key == "$connect" ? local.authorization_type : "NONE"
  authorizer_id      = each.key == "$connect" ? one(aws_apigatewayv2_authorizer.websocket[*].id) : null

  route_response_selection_expression = contains(keys(local.replying_routes), each.key) ? "$default" : null
}

resource "aws_apigatewayv2_route_response" "websocket" {
  for_each = local.replying_routes

  api_id             = aws_apigatewayv2_api.websocket.id
  route_id           = aws_apigatewayv2_route.websocket[each.key].id
  route_response_key = "$default"
}

resource "aws_apigatewayv2_stage" "websocket" {
  # checkov:skip=CKV2_AWS_51: Clients are browsers and services with tokens; WebSocket APIs take no client certificates.
  api_id      = aws_apigatewayv2_api.websocket.id
  name        = local.stage
  auto_deploy = true
  tags        = local.tags

  # API Gateway itself logs nothing of requests, because the URL of a browser contains a token.
  default_route_settings {
    data_trace_enabled     = false
    logging_level          = "OFF"
    throttling_burst_limit = var.throttle.burst
    throttling_rate_limit  = var.throttle.per_secs
  }

  dynamic "access_log_settings" {
    for_each = var.access_logs.websocket ? [aws_cloudwatch_log_group.access["websocket"].arn] : []
    content {
      destination_arn = access_log_settings.value
      format          = local.access_log_formats["websocket"]
    }
  }
}

resource "aws_lambda_permission" "websocket" {
  for_each = toset(values(local.websocket_routes))

  statement_id  = "WebsocketMayInvoke"
  action        = "lambda:InvokeFunction"
  function_name = local.alias[each.key].function_name
  qualifier     = local.alias[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.websocket.execution_arn}/*"
}
