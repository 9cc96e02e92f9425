# What AWS is taken to answer in all tests.

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

# When planning it is known whether an address was confirmed; here it was.
mock_resource "aws_sns_topic_subscription" {
  override_during = plan
  defaults        = { pending_confirmation = false }
}

mock_data "aws_region" {
  defaults = { name = "eu-west-1" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}
