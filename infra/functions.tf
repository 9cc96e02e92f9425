# The functions: one zip with one program. The handler's name says which stage it runs.

locals {
  package = coalesce(var.package, "${path.module}/../target/lambda/ocache-${var.architecture}.zip")

  functions = merge(
    local.stages,
    local.checks_tokens ? { authorizer = { memory_mb = var.memory_mb.authorizer } } : {},
    # API Gateway waits for half a minute.
    var.load_over_http ? { load = { memory_mb = var.memory_mb.load, timeout_secs = 29 } } : {},
    local.has_sources ? { load-changes = { memory_mb = var.memory_mb.load_changes, timeout_secs = 120 } } : {},
  )

  stages = {
    subscribe          = { memory_mb = var.memory_mb.subscribe }
    refresh            = { memory_mb = var.memory_mb.refresh, timeout_secs = var.refresh_timeout_secs }
    price-calc         = { memory_mb = var.memory_mb.price_calc, timeout_secs = var.price_calc_timeout_secs }
    http-api           = { memory_mb = var.memory_mb.http_api }
    quotation-handler  = { memory_mb = var.memory_mb.quotation_handler }
    quotation-provider = { memory_mb = var.memory_mb.quotation_provider }
    connect            = { memory_mb = var.memory_mb.connect }
    disconnect         = { memory_mb = var.memory_mb.disconnect }
  }

  # What a function must know before it can read the settings of the stack.
  environment = {
    OCACHE_STACK               = var.stack
    OCACHE_MANAGEMENT_ENDPOINT = local.management_endpoint
    OCACHE_AUTHORIZATION       = var.authorization
  }

  # The schedule decides the interval, so the function that it invokes stores the interval in the stack's
  # settings.
  scheduled = { refresh = { OCACHE_SCHEDULED_EVERY = "${var.refresh_every_mins}m" } }

  # The identity provider whose tokens the authorizer accepts beside ocache's own.
  identity_provider = var.identity_provider == null ? {} : { for name, value in {
    OCACHE_JWKS         = var.identity_provider.jwks_url
    OCACHE_ISSUER       = var.identity_provider.issuer
    OCACHE_AUDIENCE     = var.identity_provider.audience
    OCACHE_CLIENT_CLAIM = var.identity_provider.client_claim
  } : name => value if value != null }
  own_environment = merge(local.scheduled, {
    authorizer   = local.identity_provider
    load-changes = { OCACHE_SOURCE_TABLES = jsonencode(local.source_layouts) }
  })

  # Which function takes the messages of a queue. Price calc has two mappings, so that urgent calculations
  # never wait for scheduled ones.
  consumers = {
    refresh   = { function = "price-calc", max_concurrency = var.max_concurrency.refresh }
    quotation = { function = "price-calc", max_concurrency = var.max_concurrency.quotation }
    provider  = { function = "quotation-provider", max_concurrency = var.max_concurrency.provider }
  }
}

resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_338: log_retention_days decides; a year of logs may cost more than the work.
  for_each = local.functions

  name              = "/aws/lambda/${var.stack}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_115: max_concurrency bounds each queue; a reservation would be taken from the rest of the account.
  # checkov:skip=CKV_AWS_116: What waits in queues has dead letters; the schedule's tick is overtaken by the next one.
  # checkov:skip=CKV_AWS_117: They reach AWS services alone, which authenticate every call; a network of its own would add NAT or endpoints.
  # checkov:skip=CKV_AWS_272: The zip is built and uploaded by whoever applies; a signing profile belongs to an account's own pipeline.
  for_each = local.functions

  function_name    = "${var.stack}-${each.key}"
  description      = "ocache: ${each.key}"
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = each.key
  filename         = local.package
  source_code_hash = filebase64sha256(local.package)
  memory_size      = each.value.memory_mb
  timeout          = try(each.value.timeout_secs, local.function_timeout_secs)
  kms_key_arn      = var.kms_key_arn
  tags             = local.tags

  # Every change is a version, to which the alias may move, forward or back; see releases.tf.
  publish = true

  environment {
    # AWS logs the last one as the application's name in each call.
    variables = merge(local.environment, lookup(local.own_environment, each.key, {}), { AWS_SDK_UA_APP_ID = each.key })
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function[each.key].name
    application_log_level = var.log_level
    system_log_level      = "WARN"
  }

  # A function that runs before its role has permissions fails its first invocations.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.consumers

  event_source_arn        = aws_sqs_queue.live[each.key].arn
  function_name           = local.alias[each.value.function].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = local.tags

  scaling_config {
    maximum_concurrency = each.value.max_concurrency
  }
}
