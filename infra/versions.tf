terraform {
  # Validations that look at other variables need 1.9.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # State is kept on this machine until you say where else: see backend.tf.example.
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({ stack = var.stack, application = "ocache" }, var.tags)
  }
}
