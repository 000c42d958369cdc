"""The only place that knows boto3: what the core asks for, done with AWS."""
