# The tables, as `ocache provision` makes them. A test compares the two. Keys are strings, and items expire
# by `ttl`, a number of epoch seconds. A `rebuilt` table is filled again by visits and calculations, or has
# counts of no lasting use, so it has no point-in-time recovery unless that is requested.

locals {
  tables = {
    active-users   = { keys = ["user_id"], expires = true, rebuilt = true }
    products       = { keys = ["product_id"], expires = true }
    discounts      = { keys = ["user_id"], expires = true }
    customers      = { keys = ["user_id"], expires = true }
    price-lists    = { keys = ["list_id", "scope_id"], expires = true }
    journal        = { keys = ["load_id", "first"], expires = false }
    prices-by-user = { keys = ["user_id", "part"], expires = true, rebuilt = true }
    quotations     = { keys = ["request_id"], expires = true }
    meter          = { keys = ["window", "process"], expires = true, rebuilt = true }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each = local.tables

  name                        = "${var.stack}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.keys[0]
  range_key                   = try(each.value.keys[1], null)
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = each.value.keys
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "ttl" {
    for_each = each.value.expires ? ["ttl"] : []
    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = lookup(var.point_in_time_recovery, each.key, !try(each.value.rebuilt, false))
  }

  # Without a key of yours DynamoDB encrypts with one of its own.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  tags = local.tags
}
