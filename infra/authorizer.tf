# A function checks tokens, and decides who may connect and subscribe. The keys for the check are in the
# secret `{stack}/token-keys`. Terraform makes and deletes the secret. `ocache keys rotate` sets its value,
# which is in no state and in no plan.

data "aws_partition" "current" {}

locals {
  uses_tokens = var.authorization == "TOKEN"
  # Loads over HTTP always need a token.
  checks_tokens = local.uses_tokens || var.load_over_http
  # The name that API Gateway has for it.
  authorization_type = local.uses_tokens ? "CUSTOM" : var.authorization

  # The account of the topic's ARN, so that a plan needs no request to AWS.
  account = split(":", aws_sns_topic.quotations.arn)[4]
  # Functions name the secret. AWS appends a hyphen and six characters, which differ for a secret that is
  # made again.
  token_keys_arn = "arn:${data.aws_partition.current.partition}:secretsmanager:${data.aws_region.current.name}:${local.account}:secret:${var.stack}/token-keys-??????"

  authorized_apis = merge(
    local.uses_tokens ? {
      websocket = "${aws_apigatewayv2_api.websocket.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.websocket[0].id}"
    } : {},
    local.checks_tokens ? {
      http = "${aws_apigatewayv2_api.http.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.http[0].id}"
    } : {},
  )
}

resource "aws_secretsmanager_secret" "token_keys" {
  # checkov:skip=CKV2_AWS_57: `ocache keys rotate` rotates: whoever signs tokens has to get the new key too.
  count = local.checks_tokens ? 1 : 0

  name                    = "${var.stack}/token-keys"
  description             = "ocache: the keys that tokens are signed with"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.token_keys_recovery_days
  tags                    = local.tags
}

# Called once for each connection. It has no identity sources: the token is in a header or, from browsers,
# in the URL, and API Gateway would refuse a request that does not have both.
resource "aws_apigatewayv2_authorizer" "websocket" {
  count = local.uses_tokens ? 1 : 0

  api_id          = aws_apigatewayv2_api.websocket.id
  name            = "${var.stack}-token"
  authorizer_type = "REQUEST"
  authorizer_uri  = local.alias["authorizer"].invoke_arn

  # Authorizers of this kind have neither, but a local AWS reports both.
  lifecycle {
    ignore_changes = [authorizer_payload_format_version, jwt_configuration]
  }
}

# A request without the header is refused before the function is called. Its answers are not cached: a user
# subscribes once in a visit, and an expired token would still be accepted from the cache.
resource "aws_apigatewayv2_authorizer" "http" {
  count = local.checks_tokens ? 1 : 0

  api_id                            = aws_apigatewayv2_api.http.id
  name                              = "${var.stack}-token"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = local.alias["authorizer"].invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization"]
  authorizer_result_ttl_in_seconds  = 0

  # The same as above.
  lifecycle {
    ignore_changes = [jwt_configuration]
  }
}

resource "aws_lambda_permission" "authorizer" {
  for_each = local.authorized_apis

  statement_id  = "${each.key}MayAsk"
  action        = "lambda:InvokeFunction"
  function_name = local.alias["authorizer"].function_name
  qualifier     = local.alias["authorizer"].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = each.value
}
