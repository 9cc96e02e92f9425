# The settings of the stack when it is made. Every process reads them from the table of products until
# a setting is first changed: by `ocache config set`, or by the first tick after an apply with another
# `refresh_every_mins`. Then all settings are written into the item of the catalogue's head, and only those
# count. Of these variables a later apply changes only the interval.
#
# What Terraform writes here is an item of its own, apart from the head. Terraform deletes what it made, and
# must never delete the head.

resource "aws_dynamodb_table_item" "settings" {
  table_name = aws_dynamodb_table.this["products"].name
  hash_key   = aws_dynamodb_table.this["products"].hash_key

  item = jsonencode({
    # It begins with a control character, which no product's id has.
    product_id = { S = "\u0001settings" }
    settings   = { M = { for name, value in local.settings : name => { S = value } } }
  })

  lifecycle {
    ignore_changes = [item]
  }
}

locals {
  # The names are those of the flags of `ocache`.
  settings = {
    ttl             = "${var.ttl_secs}s"
    refresh-every   = "${var.refresh_every_mins}m"
    fresh-for       = "${var.fresh_for_secs}s"
    usable-for      = "${var.usable_for_secs}s"
    quote-within    = "${var.quote_within_secs}s"
    keep-quotations = "${var.keep_quotations_secs}s"
    keep-tables     = "${var.keep_tables_secs}s"
    answer          = var.answer
    # This setting is for gateways that run elsewhere on this stack. The APIs here follow var.authorization.
    require-token = tostring(local.uses_tokens)
  }
}
