# Tests what operators may do.

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
