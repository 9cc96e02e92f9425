# One role for each function, with the permissions for what its stage calls and nothing else.
# sts:GetCallerIdentity, which tells a function the topic's ARN, needs no permission.

locals {
  table = { for name, table in aws_dynamodb_table.this : name => table.arn }
  queue = { for name, queue in aws_sqs_queue.live : name => queue.arn }

  # What Lambda does on behalf of a function, and what the function does to failed messages.
  consume = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", "sqs:GetQueueUrl"]
  send    = ["sqs:SendMessage", "sqs:GetQueueUrl"]
  publish = ["sns:Publish"]
  # What DynamoDB, SQS and SNS do with a key of yours on behalf of the caller.
  use_key = ["kms:Decrypt", "kms:GenerateDataKey"]
  # The settings of the stack are in the item of the catalogue's head or, until one is changed, in an item of
  # their own. Both items are in the table of products.
  settings_read = { actions = ["dynamodb:GetItem"], resources = [local.table["products"]] }
  report        = { actions = ["dynamodb:PutItem"], resources = [local.table["meter"]] }
  push          = "${aws_apigatewayv2_api.websocket.execution_arn}/${local.stage}/POST/@connections/*"

  grants = {
    subscribe = [
      local.report,
      { actions = ["dynamodb:UpdateItem"], resources = [local.table["active-users"]] },
      local.settings_read,
      { actions = local.send, resources = [local.queue["quotation"]] },
    ]
    refresh = [
      local.report,
      { actions = ["dynamodb:Scan"], resources = [local.table["active-users"]] },
      { actions = local.send, resources = [local.queue["refresh"]] },
      # It folds or drops what loads that died have left, which the head names. It also stores the interval
      # of the schedule there, if that has changed.
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table["products"]] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"], resources = [local.table["products"], local.table["discounts"], local.table["customers"], local.table["price-lists"]] },
      { actions = ["dynamodb:Query", "dynamodb:BatchWriteItem"], resources = [local.table["journal"]] },
    ]
    price-calc = [
      local.report,
      { actions = local.consume, resources = [local.queue["refresh"], local.queue["quotation"]] },
      { actions = ["dynamodb:GetItem"], resources = [local.table["active-users"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:Scan"], resources = [local.table["products"]] },
      { actions = ["dynamodb:BatchGetItem"], resources = [local.table["discounts"], local.table["customers"]] },
      { actions = ["dynamodb:Query"], resources = [local.table["price-lists"]] },
      # Changes of a load that is in force and not yet folded into the rows.
      { actions = ["dynamodb:Query"], resources = [local.table["journal"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem"], resources = [local.table["prices-by-user"]] },
      { actions = local.publish, resources = [aws_sns_topic.quotations.arn] },
    ]
    # The same as the quotation handler, but nothing is pushed.
    http-api = [
      local.report,
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table["active-users"]] },
      local.settings_read,
      # A quotation past its deadline is stored as failed before its client is told.
      { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table["quotations"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [local.table["prices-by-user"]] },
      { actions = ["dynamodb:GetItem"], resources = [local.table["products"]] },
      # To the quotation queue: the first visit of a user whose quote orders no table. To the refresh queue:
      # a table that a quote found stale. To the provider queue: the deadline of a quotation for which a
      # websocket waits, if the quote is repeated.
      { actions = local.send, resources = [local.queue["quotation"], local.queue["refresh"], local.queue["provider"]] },
      { actions = local.publish, resources = [aws_sns_topic.quotations.arn] },
    ]
    load = [
      local.report,
      # What is stored is compared with what is loaded. The differences go into the journal, which the head
      # then names, and from there into the rows. `prune` scans for stored rows that the load does not have.
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Scan"], resources = [local.table["products"]] },
      { actions = ["dynamodb:Scan"], resources = [local.table["discounts"], local.table["customers"]] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"], resources = [local.table["products"], local.table["discounts"], local.table["customers"], local.table["price-lists"]] },
      { actions = ["dynamodb:Query"], resources = [local.table["price-lists"]] },
      { actions = ["dynamodb:Query", "dynamodb:BatchWriteItem"], resources = [local.table["journal"]] },
      # Finds whose tables are outdated, and orders them.
      { actions = ["dynamodb:GetItem", "dynamodb:Scan"], resources = [local.table["active-users"]] },
      { actions = local.send, resources = [local.queue["refresh"]] },
    ]
    # The same as load, but without `prune`.
    load-changes = [
      local.report,
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table["products"]] },
      { actions = ["dynamodb:BatchGetItem", "dynamodb:PutItem"], resources = [local.table["products"], local.table["discounts"], local.table["customers"], local.table["price-lists"]] },
      # The rows of a price list that is removed.
      { actions = ["dynamodb:Query"], resources = [local.table["price-lists"]] },
      { actions = ["dynamodb:Query", "dynamodb:BatchWriteItem"], resources = [local.table["journal"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:Scan"], resources = [local.table["active-users"]] },
      { actions = local.send, resources = [local.queue["refresh"]] },
    ]
    quotation-handler = [
      local.report,
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table["active-users"]] },
      local.settings_read,
      { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table["quotations"]] },
      # The table from which a quote is answered directly.
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [local.table["prices-by-user"]] },
      { actions = ["dynamodb:GetItem"], resources = [local.table["products"]] },
      # To the quotation queue: the first visit of a user whose quote orders no table, because it is refused
      # or was answered before. To the refresh queue: a table that a quote found stale. To the provider
      # queue: the message that tells the client when the deadline has passed, and an answer that could not
      # be pushed.
      { actions = local.send, resources = [local.queue["quotation"], local.queue["refresh"], local.queue["provider"]] },
      { actions = local.publish, resources = [aws_sns_topic.quotations.arn] },
      # A quote that is answered directly, or was answered before, is answered by a push.
      { actions = ["execute-api:ManageConnections"], resources = [local.push] },
    ]
    quotation-provider = [
      local.report,
      { actions = local.consume, resources = [local.queue["provider"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources = [local.table["prices-by-user"]] },
      { actions = ["dynamodb:GetItem"], resources = [local.table["products"]] },
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], resources = [local.table["quotations"]] },
      # To the quotation queue: a table for which a quote waits. To the refresh queue: one that a quote
      # found stale.
      { actions = local.send, resources = [local.queue["quotation"], local.queue["refresh"]] },
      { actions = ["execute-api:ManageConnections"], resources = [local.push] },
    ]
    authorizer = [
      { actions = ["secretsmanager:GetSecretValue"], resources = [local.token_keys_arn] },
    ]
    connect    = []
    disconnect = []
  }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
  }

  # The X-Ray daemon of a function sends its data to no resource that a policy could name.
  dynamic "statement" {
    for_each = var.tracing ? ["*"] : []
    content {
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      actions   = local.use_key
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = concat(local.grants[each.key], each.key == "load-changes" ? local.source_grants : [])
    content {
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = "${var.stack}-${each.key}"
  description        = "ocache: what ${each.key} may do"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = local.tags
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "stage"
  role   = aws_iam_role.function[each.key].name
  policy = data.aws_iam_policy_document.function[each.key].json
}
