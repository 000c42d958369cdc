"""AWS in this process for every test of this folder."""

from tests.support.aws import aws, dynamodb, models_bucket, policy_parameter, s3, ssm

__all__ = ["aws", "dynamodb", "models_bucket", "policy_parameter", "s3", "ssm"]
