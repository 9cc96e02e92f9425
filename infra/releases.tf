# Decides which version of a function runs: the one that its alias names. Everything that invokes a function
# invokes the alias.
#
# Without `gradual_deployment` an apply moves the aliases to the new versions. With it they stay, and
# `infra/release` lets CodeDeploy move them, for a part of the invocations first. An alarm moves them back.

locals {
  is_gradual = var.gradual_deployment != null
  alias      = merge(aws_lambda_alias.newest, aws_lambda_alias.released)

  # The alarms that show that a new version is bad. A function without messages has fewer of them.
  rollback_alarms = {
    for name, _ in local.functions : name => concat(
      [aws_cloudwatch_metric_alarm.errors[name].alarm_name],
      [for function, alarm in aws_cloudwatch_metric_alarm.failed_messages : alarm.alarm_name if function == name],
      [for alarm in [aws_cloudwatch_metric_alarm.http_failures] : alarm.alarm_name if contains(values(local.http_routes), name)],
      [for alarm in aws_cloudwatch_metric_alarm.websocket_failures : alarm.alarm_name if contains(values(local.websocket_routes), name)],
    )
  }
}

resource "aws_lambda_alias" "newest" {
  for_each = local.is_gradual ? {} : local.functions

  name             = "live"
  description      = "ocache: what runs"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_lambda_alias" "released" {
  for_each = local.is_gradual ? local.functions : {}

  name             = "live"
  description      = "ocache: what was released"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version

  # CodeDeploy sets these once the alias is made.
  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_codedeploy_app" "this" {
  count = local.is_gradual ? 1 : 0

  name             = var.stack
  compute_platform = "Lambda"
  tags             = local.tags
}

data "aws_iam_policy_document" "deployer_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "deployer" {
  # checkov:skip=CKV_AWS_356: cloudwatch:DescribeAlarms knows no resources.
  statement {
    actions   = ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
    resources = [for function in aws_lambda_function.this : "${function.arn}*"]
  }

  statement {
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "deployer" {
  count = local.is_gradual ? 1 : 0

  name               = "${var.stack}-deployer"
  description        = "ocache: moves the functions' aliases"
  assume_role_policy = data.aws_iam_policy_document.deployer_assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "deployer" {
  count = local.is_gradual ? 1 : 0

  name   = "deploy"
  role   = aws_iam_role.deployer[0].name
  policy = data.aws_iam_policy_document.deployer.json
}

resource "aws_codedeploy_deployment_group" "this" {
  for_each = local.is_gradual ? local.functions : {}

  app_name               = aws_codedeploy_app.this[0].name
  deployment_group_name  = aws_lambda_function.this[each.key].function_name
  deployment_config_name = "CodeDeployDefault.${var.gradual_deployment}"
  service_role_arn       = aws_iam_role.deployer[0].arn
  tags                   = local.tags

  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }

  alarm_configuration {
    enabled = true
    alarms  = local.rollback_alarms[each.key]
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }

  depends_on = [aws_iam_role_policy.deployer]
}
