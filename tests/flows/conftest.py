"""AWS in this process for every test of this folder."""

from tests.support.aws import aws, dynamodb, s3, ssm

__all__ = ["aws", "dynamodb", "s3", "ssm"]
