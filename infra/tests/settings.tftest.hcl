# Tests what variables change, and what they refuse. Nothing here contacts AWS. `infra/test` tries a
# deployed stack on a local AWS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
}

run "what_is_rebuilt_is_not_kept_for_restoring" {
  command = plan

  assert {
    condition = alltrue([
      for name, table in aws_dynamodb_table.this :
      one(table.point_in_time_recovery).enabled == !try(local.tables[name].rebuilt, false)
    ])
    error_message = "Point-in-time recovery is not as the tables say."
  }

  assert {
    condition     = one(aws_dynamodb_table.this["products"].point_in_time_recovery).enabled && !one(aws_dynamodb_table.this["prices-by-user"].point_in_time_recovery).enabled
    error_message = "Products can be restored, tables of prices are made anew."
  }

  assert {
    condition     = length(aws_budgets_budget.this) == 0 && length(aws_sns_topic.alarms) == 0 && length(aws_codedeploy_app.this) == 0
    error_message = "Nothing is made that was not asked for."
  }
}

run "a_table_can_be_chosen" {
  command = plan

  variables {
    point_in_time_recovery = { quotations = false, active-users = true }
  }

  assert {
    condition     = !one(aws_dynamodb_table.this["quotations"].point_in_time_recovery).enabled && one(aws_dynamodb_table.this["active-users"].point_in_time_recovery).enabled
    error_message = "The variable decides."
  }
}

run "a_key_encrypts_everything_that_is_kept" {
  command = plan

  variables {
    kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    alarm_emails = ["on-call@example.com"]
  }

  assert {
    condition = alltrue(concat(
      [for table in aws_dynamodb_table.this : one(table.server_side_encryption).kms_key_arn == var.kms_key_arn],
      [for queue in aws_sqs_queue.live : queue.kms_master_key_id == var.kms_key_arn],
      [for queue in aws_sqs_queue.dead : queue.kms_master_key_id == var.kms_key_arn],
      [for topic in [aws_sns_topic.quotations, aws_sns_topic.alarms[0]] : topic.kms_master_key_id == var.kms_key_arn],
      [for group in aws_cloudwatch_log_group.function : group.kms_key_id == var.kms_key_arn],
      [for group in aws_cloudwatch_log_group.access : group.kms_key_id == var.kms_key_arn],
      [for function in aws_lambda_function.this : function.kms_key_arn == var.kms_key_arn],
      [aws_secretsmanager_secret.token_keys[0].kms_key_id == var.kms_key_arn],
    ))
    error_message = "Something is encrypted with another key."
  }
}

run "traces_and_access_logs_are_chosen" {
  command = plan

  variables {
    tracing     = true
    access_logs = { http = false, websocket = true }
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : one(function.tracing_config).mode == "Active"])
    error_message = "Every function is traced."
  }

  assert {
    condition     = keys(aws_cloudwatch_log_group.access) == ["websocket"] && length(aws_apigatewayv2_stage.http.access_log_settings) == 0
    error_message = "Only the websocket logs its requests."
  }

  assert {
    condition     = alltrue([for format in values(local.access_log_formats) : !strcontains(format, "uery") && !strcontains(format, "context.path")])
    error_message = "The URL of a browser has a token in it."
  }

  assert {
    condition = (
      one(aws_apigatewayv2_stage.websocket.access_log_settings).format == local.access_log_formats["websocket"]
      && strcontains(local.access_log_formats["websocket"], "connectionId")
      && !strcontains(local.access_log_formats["http"], "connectionId")
    )
    error_message = "Only the frames of a websocket belong to a connection."
  }
}

run "codedeploy_moves_the_aliases_of_gradual_releases" {
  command = plan

  variables {
    gradual_deployment = "LambdaCanary10Percent5Minutes"
    load_over_http     = true
  }

  assert {
    condition     = length(aws_lambda_alias.newest) == 0 && keys(aws_lambda_alias.released) == keys(local.functions)
    error_message = "An apply moves no alias."
  }

  assert {
    condition = alltrue([
      for name, group in aws_codedeploy_deployment_group.this :
      one(group.alarm_configuration).enabled
      && contains(one(group.alarm_configuration).alarms, "organic-cache-errors-${name}")
      && contains(one(group.auto_rollback_configuration).events, "DEPLOYMENT_STOP_ON_ALARM")
    ])
    error_message = "An alarm of the function takes its release back."
  }

  assert {
    condition     = contains(one(aws_codedeploy_deployment_group.this["price-calc"].alarm_configuration).alarms, "organic-cache-failed-messages-price-calc")
    error_message = "A message that fails is no failed invocation, and takes a release back too."
  }

  assert {
    condition = alltrue([
      for name, group in aws_codedeploy_deployment_group.this :
      contains(one(group.alarm_configuration).alarms, "organic-cache-http-5xx") == contains(["subscribe", "http-api", "load"], name)
    ])
    error_message = "Requests over HTTP that fail take back a release of each function that answers some."
  }

  assert {
    condition = alltrue([
      for name, group in aws_codedeploy_deployment_group.this :
      setintersection(one(group.alarm_configuration).alarms, ["organic-cache-websocket-failures-integration", "organic-cache-websocket-failures-execution"])
      == toset(contains(["connect", "disconnect", "quotation-handler"], name) ? ["organic-cache-websocket-failures-integration", "organic-cache-websocket-failures-execution"] : [])
    ])
    error_message = "Connections and frames that fail take back a release of each function that the websocket invokes."
  }
}

run "names_of_your_own_are_the_urls" {
  command = plan

  variables {
    domains = {
      websocket = { name = "quotes.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000", zone_id = "Z1" }
      http      = { name = "subscribe.example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000" }
    }
  }

  assert {
    condition     = keys(aws_apigatewayv2_domain_name.this) == ["http", "websocket"] && keys(aws_route53_record.this) == ["websocket"]
    error_message = "Each API has its name, and only the one with a zone has a record."
  }
}

run "a_budget_tells_whoever_is_told_of_alarms" {
  command = plan

  variables {
    monthly_budget_usd = 250
    alarm_emails       = ["on-call@example.com"]
  }

  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "250" && length(aws_budgets_budget.this[0].notification) == 2
    error_message = "What was spent, and what is expected."
  }

  assert {
    condition     = one(aws_budgets_budget.this[0].cost_filter).values == tolist([join("$", ["user:stack", "organic-cache"])])
    error_message = "Only what the stack costs counts: what has its tag."
  }

  assert {
    condition     = alltrue([for notification in aws_budgets_budget.this[0].notification : contains(notification.subscriber_email_addresses, "on-call@example.com")])
    error_message = "The addresses are told."
  }
}

run "somebody_has_to_be_told" {
  command = plan

  variables {
    alarm_topic_arns = []
  }

  expect_failures = [check.somebody_is_told]
}

run "an_address_has_to_be_confirmed" {
  command = plan

  variables {
    alarm_emails = ["on-call@example.com"]
  }

  override_resource {
    target          = aws_sns_topic_subscription.alarms
    override_during = plan
    values          = { pending_confirmation = true }
  }

  expect_failures = [check.addresses_are_confirmed]
}

run "a_budget_has_to_tell_somebody" {
  command = plan

  variables {
    alarm_topic_arns   = []
    monthly_budget_usd = 250
  }

  expect_failures = [check.somebody_is_told, aws_budgets_budget.this]
}

run "one_name_does_not_do_for_both_apis" {
  command = plan

  variables {
    domains = {
      websocket = { name = "quotes.example.com", certificate_arn = "arn" }
      http      = { name = "quotes.example.com", certificate_arn = "arn" }
    }
  }

  expect_failures = [var.domains]
}

run "settings_that_aws_does_not_have_are_refused" {
  command = plan

  variables {
    gradual_deployment       = "LambdaCanary50Percent5Minutes"
    token_keys_recovery_days = 3
    point_in_time_recovery   = { prices = true }
    monthly_budget_usd       = 0
  }

  expect_failures = [
    var.gradual_deployment,
    var.token_keys_recovery_days,
    var.point_in_time_recovery,
    var.monthly_budget_usd,
  ]
}

run "nothing_is_made_for_source_tables_that_there_are_not" {
  command = plan

  assert {
    condition     = !contains(keys(aws_lambda_function.this), "load-changes") && length(aws_lambda_event_source_mapping.source) == 0 && length(aws_sqs_queue.source_dead) == 0
    error_message = "Without source tables there is no function, no mapping and no queue for them."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.source_age) == 0 && keys(aws_cloudwatch_log_metric_filter.failed_messages) == ["price-calc", "quotation-provider"]
    error_message = "Without source tables nobody is told of them."
  }
}

run "changes_of_source_tables_are_loaded" {
  command = plan

  variables {
    source_tables = {
      products = {
        stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/articles/stream/2026-11-29T08:00:00.000"
        columns    = { sku = "id" }
        ignore     = ["updated_at"]
      }
      conditions = {
        stream_arn     = "arn:aws:dynamodb:eu-west-1:123456789012:table/erp.conditions/stream/2026-11-29T08:00:00.000"
        ignore_unknown = true
        kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
      }
    }
  }

  assert {
    condition = alltrue([
      for mapping in aws_lambda_event_source_mapping.source :
      mapping.starting_position == "TRIM_HORIZON"
      && mapping.function_response_types == toset(["ReportBatchItemFailures"])
      && mapping.bisect_batch_on_function_error
      && mapping.maximum_retry_attempts == 10
    ]) && keys(aws_lambda_event_source_mapping.source) == ["conditions", "products"]
    error_message = "A record that cannot be loaded holds up its shard for a bounded time."
  }

  assert {
    condition = jsondecode(one(aws_lambda_function.this["load-changes"].environment).variables["OCACHE_SOURCE_TABLES"]) == {
      articles         = { columns = { sku = "id" }, ignore = ["updated_at"], ignore_unknown = false }
      "erp.conditions" = { columns = {}, ignore = [], ignore_unknown = true }
    }
    error_message = "The function knows what the attributes of each table mean, by the name of the table."
  }

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.this :
      (name == "load-changes") == contains(keys(one(function.environment).variables), "OCACHE_SOURCE_TABLES")
    ])
    error_message = "No other function is told of source tables."
  }

  assert {
    condition     = aws_sqs_queue.source_dead[0].name == "organic-cache-source-tables-dlq" && length(aws_sqs_queue_policy.source_dead) == 1
    error_message = "What is given up goes to a queue of its own, which takes requests over TLS only."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.source_age[0].metric_name == "IteratorAge" && contains(keys(aws_cloudwatch_metric_alarm.dead_letters), "source-tables") && strcontains(aws_cloudwatch_log_metric_filter.failed_messages["load-changes"].pattern, "a record was not loaded")
    error_message = "Somebody is told of records that wait, that fail and that are given up."
  }

  assert {
    condition = anytrue([
      for grant in local.source_grants : contains(grant.actions, "dynamodb:ListStreams")
      && contains(grant.resources, "arn:aws:dynamodb:eu-west-1:123456789012:table/articles/stream/*")
      ]) && anytrue([
      for grant in local.source_grants : contains(grant.actions, "dynamodb:GetRecords")
      && grant.resources == [for source in values(var.source_tables) : source.stream_arn]
      ]) && anytrue([
      for grant in local.source_grants : contains(grant.actions, "kms:Decrypt") && length(grant.resources) == 1
    ])
    error_message = "The role may read these streams, and what the tables of others are encrypted with."
  }
}

run "a_source_table_is_named_by_its_stream" {
  command = plan

  variables {
    source_tables = { products = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/articles" } }
  }

  expect_failures = [var.source_tables]
}

run "the_authorizer_knows_the_identity_provider" {
  command = plan

  variables {
    identity_provider = { jwks_url = "https://id.example.com/jwks.json", issuer = "https://id.example.com/" }
  }

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.this :
      (name == "authorizer") == contains(keys(one(function.environment).variables), "OCACHE_JWKS")
    ])
    error_message = "The authorizer checks tokens, and no other function."
  }

  assert {
    condition     = !contains(keys(one(aws_lambda_function.this["authorizer"].environment).variables), "OCACHE_AUDIENCE")
    error_message = "An audience that was not named is no variable."
  }
}

run "keys_of_an_identity_provider_are_read_over_https" {
  command = plan

  variables {
    identity_provider = { jwks_url = "http://id.example.com/jwks.json", issuer = "https://id.example.com/" }
  }

  expect_failures = [var.identity_provider]
}

run "shares_fit_into_the_account" {
  command = plan

  variables {
    account_concurrency = 100
  }

  expect_failures = [var.max_concurrency]
}

run "a_refresh_is_one_invocation_unless_more_are_wanted" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_event_rule.refresh) == 1 && length(aws_cloudwatch_event_target.refresh) == 1
    error_message = "One rule wakes one invocation."
  }
}

run "many_parts_are_spread_over_rules" {
  command = plan

  variables {
    refresh_parts = 12
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.refresh) == 3 && length(aws_cloudwatch_event_target.refresh) == 12
    error_message = "Rules have five targets at most."
  }

  assert {
    condition     = alltrue([for rule in aws_cloudwatch_event_rule.refresh : startswith(rule.name, trimsuffix(local.refresh_names, "*"))])
    error_message = "The permission does not hold for each rule."
  }

  assert {
    condition = alltrue([
      for part, target in aws_cloudwatch_event_target.refresh :
      jsondecode(replace(one(target.input_transformer).input_template, "<time>", "\"t\"")) == { time = "t", part = tonumber(part), parts = 12 }
    ])
    error_message = "Each target names its part."
  }
}

run "ten_million_customers_fit_the_variables" {
  command = plan

  variables {
    refresh_parts       = 36
    gateway_concurrency = 536
    account_concurrency = 3000
    max_concurrency     = { refresh = 1000 }
    memory_mb           = { refresh = 1769 }
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.refresh) == 8 && length(aws_cloudwatch_event_target.refresh) == 36
    error_message = "docs/deploying.md, \"Growing\", names other numbers."
  }
}

run "one_mapping_has_a_thousand_invocations" {
  command = plan

  variables {
    account_concurrency = 3000
    max_concurrency     = { refresh = 1250 }
  }

  expect_failures = [var.max_concurrency]
}

run "a_refresh_does_not_take_the_clients_share" {
  command = plan

  variables {
    refresh_parts = 50
  }

  expect_failures = [var.refresh_parts]
}

run "messages_are_hidden_for_as_long_as_a_calculation_may_take" {
  command = plan

  variables {
    price_calc_timeout_secs = 120
  }

  assert {
    condition     = aws_lambda_function.this["price-calc"].timeout == 120 && aws_lambda_function.this["quotation-provider"].timeout == 10
    error_message = "Only price-calc may take longer."
  }

  assert {
    condition     = alltrue([for queue in ["refresh", "quotation"] : aws_sqs_queue.live[queue].visibility_timeout_seconds == 120])
    error_message = "Lambda refuses a queue that hides messages for less time than its function may take."
  }
}

run "messages_are_hidden_for_no_longer_than_need_be" {
  command = plan

  assert {
    condition     = aws_sqs_queue.live["refresh"].visibility_timeout_seconds == 60 && aws_sqs_queue.live["quotation"].visibility_timeout_seconds == 10
    error_message = "Where a client waits, a message that was lost comes again soon."
  }
}
