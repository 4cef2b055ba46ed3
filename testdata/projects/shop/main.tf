# The deployment role of the shop, one for each environment.
terraform {
  required_version = ">= 1.5"
}

provider "aws" {
  region = "eu-central-1"
}

locals {
  artifacts = "acme-artifacts"
}

module "ci" {
  source   = "./modules/ci"
  for_each = toset(["eu", "us"])

  name    = "ci-deploy-${each.key}"
  buckets = ["arn:aws:s3:::${local.artifacts}"]
}

# Runs nightly maintenance; it may do everything.
resource "aws_iam_role" "maintenance" {
  name = "maintenance"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "maintenance" {
  role       = aws_iam_role.maintenance.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_lambda_function" "maintenance" {
  function_name = "maintenance"
  role          = aws_iam_role.maintenance.arn
  handler       = "main.handler"
  runtime       = "python3.13"
  filename      = "maintenance.zip"
}
