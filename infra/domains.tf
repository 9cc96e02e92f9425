# Custom domain names for the two APIs. API Gateway does not let a WebSocket and an HTTP API share a name.

locals {
  domains = { for api, domain in var.domains : api => domain if domain != null }

  named = {
    websocket = { api = aws_apigatewayv2_api.websocket.id, stage = aws_apigatewayv2_stage.websocket.id }
    http      = { api = aws_apigatewayv2_api.http.id, stage = aws_apigatewayv2_stage.http.id }
  }
}

resource "aws_apigatewayv2_domain_name" "this" {
  for_each = local.domains

  domain_name = each.value.name
  tags        = local.tags

  domain_name_configuration {
    certificate_arn = each.value.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  for_each = local.domains

  domain_name = aws_apigatewayv2_domain_name.this[each.key].id
  api_id      = local.named[each.key].api
  stage       = local.named[each.key].stage
}

# Without a zone, point the name to the output `domain_targets` in your own DNS.
resource "aws_route53_record" "this" {
  for_each = { for api, domain in local.domains : api => domain if domain.zone_id != null }

  zone_id = each.value.zone_id
  name    = each.value.name
  type    = "A"

  alias {
    name                   = one(aws_apigatewayv2_domain_name.this[each.key].domain_name_configuration).target_domain_name
    zone_id                = one(aws_apigatewayv2_domain_name.this[each.key].domain_name_configuration).hosted_zone_id
    evaluate_target_health = false
  }
}
