# What people, and machines beside the functions, need to run the commands of ocache: policies to attach to
# their roles. `infra/test` runs each command with only its own policy.

locals {
  arn_of_service = "arn:${data.aws_partition.current.partition}"
  # Commands look up tables and queues by name, including those that are not yet made.
  all_tables = "${local.arn_of_service}:dynamodb:${data.aws_region.current.name}:${local.account}:table/${var.stack}-*"
  all_queues = "${local.arn_of_service}:sqs:${data.aws_region.current.name}:${local.account}:${var.stack}-*"
  all_apis   = "${local.arn_of_service}:apigateway:${data.aws_region.current.name}::"
  dead       = [for queue in aws_sqs_queue.dead : queue.arn]

  schedule_arns = [local.refresh_rules]

  # Every process writes down what it used, and reads the settings of the stack.
  process = [local.report, local.settings_read]

  operators = {
    # `ocache doctor`, which tries a write and undoes it.
    doctor = concat(local.process, [
      { actions = ["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"], resources = [local.all_tables] },
      { actions = ["dynamodb:UpdateItem", "dynamodb:DeleteItem"], resources = [local.table["active-users"]] },
      # It checks what waits, and which processes are alive to work on it.
      { actions = ["dynamodb:Scan"], resources = [local.table["active-users"]] },
      { actions = ["dynamodb:Query"], resources = [local.table["meter"]] },
      { actions = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"], resources = [local.all_queues] },
      { actions = ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"], resources = [aws_sns_topic.quotations.arn] },
      # Subscriptions have no ARN that a policy could name beforehand.
      { actions = ["sns:GetSubscriptionAttributes"], resources = ["*"] },
      { actions = ["events:DescribeRule"], resources = local.schedule_arns },
      { actions = ["apigateway:GET"], resources = ["${local.all_apis}/apis", "${local.all_apis}/apis/${aws_apigatewayv2_api.websocket.id}/stages"] },
    ])
    # `ocache provision`, also with `--fix`. Only Terraform may delete.
    provision = concat(local.process, [
      { actions = ["dynamodb:DescribeTable", "dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive"], resources = [local.all_tables] },
      { actions = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:CreateQueue", "sqs:SetQueueAttributes"], resources = [local.all_queues] },
      { actions = ["sns:CreateTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:Subscribe"], resources = [aws_sns_topic.quotations.arn] },
      { actions = ["sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes"], resources = ["*"] },
      { actions = ["dynamodb:UpdateItem", "dynamodb:PutItem"], resources = [local.table["products"]] },
    ])
    # `ocache load`, and its orders of active users' tables.
    load = concat(local.process, [
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], resources = local.loaded },
      { actions = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], resources = [local.table["journal"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan"], resources = [local.table["active-users"]] },
      { actions = local.send, resources = [local.queue["refresh"]] },
    ])
    # `ocache worker`, for all stages that a queue or the schedule wakes.
    worker = concat(local.process, local.grants["refresh"], local.grants["price-calc"], local.grants["quotation-provider"], [
      # It removes the record that it is alive when it ends.
      { actions = ["dynamodb:DeleteItem"], resources = [local.table["meter"]] },
    ])
    # `ocache dead-letters`: list, redrive and drop.
    redrive = concat(local.process, [
      { actions = concat(local.consume, ["sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask"]), resources = local.dead },
      { actions = concat(local.send, ["sqs:GetQueueAttributes"]), resources = values(local.queue) },
    ])
    # `ocache keys` and `ocache token`.
    keys = [
      { actions = ["secretsmanager:GetSecretValue", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"], resources = [local.token_keys_arn] },
    ]
  }

  # The tables into which files are loaded: those that are not rebuilt, except the journal and quotations.
  loaded = [
    for name, table in local.tables : local.table[name]
    if !try(table.rebuilt, false) && !contains(["journal", "quotations"], name)
  ]
}

data "aws_iam_policy_document" "operator" {
  for_each = local.operators

  dynamic "statement" {
    for_each = each.value
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      actions   = local.use_key
      resources = [statement.value]
    }
  }
}
