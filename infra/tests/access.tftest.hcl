# Tests what operators may do, and when there are keys for tokens.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
}

run "a_worker_that_ends_removes_its_presence" {
  command = plan

  override_resource {
    target          = aws_dynamodb_table.this["meter"]
    override_during = plan
    values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/organic-cache-meter" }
  }

  assert {
    condition = [
      for grant in local.operators.worker : grant.resources if contains(grant.actions, "dynamodb:DeleteItem")
    ] == [["arn:aws:dynamodb:eu-west-1:123456789012:table/organic-cache-meter"]]
    error_message = "A worker deletes its item of the meter, and nothing else."
  }

  assert {
    condition     = !anytrue([for grant in flatten(values(local.grants)) : contains(grant.actions, "dynamodb:DeleteItem")])
    error_message = "Functions share a record, which none of them removes."
  }
}

run "loads_over_http_need_keys_whatever_the_authorization" {
  command = plan

  variables {
    authorization  = "AWS_IAM"
    load_over_http = true
    kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  }

  assert {
    condition     = length(aws_secretsmanager_secret.token_keys) == 1 && length(aws_apigatewayv2_authorizer.http) == 1
    error_message = "The authorizer of loads reads a secret that Terraform does not make."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.token_keys : secret.kms_key_id == var.kms_key_arn && secret.tags["stack"] == var.stack])
    error_message = "The secret has the key and the tags of the stack."
  }

  assert {
    condition     = output.token_keys_secret == "organic-cache/token-keys"
    error_message = "The output names the secret."
  }

  assert {
    condition     = length(aws_apigatewayv2_authorizer.websocket) == 0
    error_message = "Other clients have no token."
  }
}

run "without_tokens_there_are_no_keys" {
  command = plan

  variables {
    authorization = "NONE"
  }

  assert {
    condition     = length(aws_secretsmanager_secret.token_keys) == 0 && output.token_keys_secret == null
    error_message = "Nobody reads the secret."
  }
}
