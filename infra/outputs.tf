# Everything that ocache and its users must know.

output "websocket_url" {
  description = "The URL to which clients connect: `ocache quote --url …`."
  value       = try("wss://${aws_apigatewayv2_api_mapping.this["websocket"].domain_name}", aws_apigatewayv2_stage.websocket.invoke_url)
}

output "subscribe_url" {
  description = "The URL at which customers are subscribed, with PUT."
  value       = try("https://${aws_apigatewayv2_api_mapping.this["http"].domain_name}/subscribe", "${aws_apigatewayv2_api.http.api_endpoint}/subscribe")
}

output "http_url" {
  description = "The URL of the HTTP API. /quotes and /prices are below it."
  value       = try("https://${aws_apigatewayv2_api_mapping.this["http"].domain_name}", aws_apigatewayv2_api.http.api_endpoint)
}

output "management_endpoint" {
  description = "The endpoint to which answers are pushed: `--management-endpoint` of a worker that runs beside the functions."
  value       = local.management_endpoint
}

output "environment" {
  description = "The variables with which the command line works on this stack: `export` each."
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
  description = "The ids of the event source mappings, by queue. Disable them while a worker replaces a function."
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
  description = "The secret with the keys of tokens, which `ocache keys rotate` makes. Null if neither `authorization` nor `load_over_http` needs tokens."
  value       = one(aws_secretsmanager_secret.token_keys[*].name)
}

output "domain_targets" {
  description = "The targets to which the names of `domains` must point, by API: a CNAME record, unless Route 53 has it."
  value       = { for api, domain in aws_apigatewayv2_domain_name.this : api => one(domain.domain_name_configuration).target_domain_name }
}

output "codedeploy_application" {
  description = "The application of CodeDeploy that `infra/release` deploys. Null if an apply moves the aliases."
  value       = one(aws_codedeploy_app.this[*].name)
}

output "operator_policies" {
  description = "IAM policies, as JSON, for people and programs that run commands: doctor, provision, load, worker, redrive, keys."
  value       = { for name, policy in data.aws_iam_policy_document.operator : name => policy.json }
}
