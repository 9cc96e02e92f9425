# Everything that ocache, and who uses it, has to know.

output "websocket_url" {
  description = "Where clients connect: `ocache quote --url …`."
  value       = aws_apigatewayv2_stage.websocket.invoke_url
}

output "subscribe_url" {
  description = "Where users are subscribed, with PUT."
  value       = "${aws_apigatewayv2_api.http.api_endpoint}/subscribe"
}

output "http_url" {
  description = "Where the HTTP API is: /quotes and /prices are below it."
  value       = aws_apigatewayv2_api.http.api_endpoint
}

output "management_endpoint" {
  description = "Where answers are pushed: `--management-endpoint` of a worker that helps the functions."
  value       = local.management_endpoint
}

output "environment" {
  description = "What the command line needs to work on this stack: `export` each."
  value = {
    OCACHE_BACKEND             = "aws"
    OCACHE_STACK               = var.stack
    OCACHE_MANAGEMENT_ENDPOINT = local.management_endpoint
    AWS_REGION                 = data.aws_region.current.name
  }
}

output "functions" {
  description = "The functions' names, by stage."
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "event_source_mappings" {
  description = "The mappings' ids, by queue: what to disable while a foreground worker takes over."
  value       = { for name, mapping in aws_lambda_event_source_mapping.this : name => mapping.uuid }
}

output "websocket_api_id" {
  description = "The id of the websocket's API."
  value       = aws_apigatewayv2_api.websocket.id
}

output "http_api_id" {
  description = "The id of the HTTP API."
  value       = aws_apigatewayv2_api.http.id
}

output "token_keys_secret" {
  description = "The secret with the keys of tokens, which `ocache keys rotate` makes; null where tokens are not used. Delete it yourself after destroying the stack."
  value       = local.checks_tokens ? "${var.stack}/token-keys" : null
}
