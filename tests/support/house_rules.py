"""The house rules of template.yaml. Each rule takes a template and names what breaks it, one sentence a finding.

A rule is a plain function, so tests run it on the real template (nothing may be found) and on a small bad one
(something must be found). To add a rule, write it here and give both tests in `tests/infrastructure` a case.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from tests.support.template import Template, folder_of, functions, references, resources

DEFAULT_VISIBILITY_SECONDS = 30
DEFAULT_TIMEOUT_SECONDS = 3
CONCURRENCY_BOUNDS = (2, 1000)

# What SAM attaches by itself; nothing else of AWS's own policies may come in.
MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": "writes logs",
    "AWSXrayWriteOnlyAccess": "Tracing: Active",
    "AWSLambdaSQSQueueExecutionRole": "reads the queue of an event source mapping",
}

# Names of one's own make a second stack in the account, and a replacement, impossible.
PHYSICAL_NAMES = {
    "AWS::ApiGatewayV2::Api": (),  # its Name is required and need not be unique
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::Cognito::UserPool": ("UserPoolName",),
    "AWS::Cognito::UserPoolClient": ("ClientName",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KinesisFirehose::DeliveryStream": ("DeliveryStreamName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::Serverless::Function": ("FunctionName",),
    "AWS::Serverless::LayerVersion": ("LayerName",),
    "AWS::Serverless::StateMachine": ("Name",),
}

STATEFUL = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Cognito::UserPool")
KEPT = ("Retain", "RetainExceptOnCreate")


def queue_mappings(template: Template) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Each queue mapping: the function's logical id, its properties, the mapping's properties."""
    for logical_id, properties in functions(template).items():
        for source in properties.get("Events", {}).values():
            if source["Type"] == "SQS":
                yield logical_id, properties, source["Properties"]


def _queue_of(mapping: Mapping[str, Any]) -> str:
    return next(references(mapping.get("Queue")), "")


def partial_failures(template: Template) -> list[str]:
    """Every queue mapping reports partial failures, else one bad message repeats nine good ones."""
    return [
        f"{function}: the mapping of {_queue_of(mapping)} lacks ReportBatchItemFailures"
        for function, _, mapping in queue_mappings(template)
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", [])
    ]


def dead_letters(template: Template) -> list[str]:
    """Every queue that a function reads has a DLQ in this template."""
    queues = resources(template, "AWS::SQS::Queue")
    found = []
    for function, _, mapping in queue_mappings(template):
        queue = _queue_of(mapping)
        policy = queues.get(queue, {}).get("Properties", {}).get("RedrivePolicy", {})
        if next(references(policy.get("deadLetterTargetArn")), None) not in queues:
            found.append(f"{function}: queue {queue} has no DLQ")
    return found


def visibility(template: Template) -> list[str]:
    """Visibility time-outs are at least 6 times the function's, as AWS asks: a throttled batch is not given twice."""
    queues = resources(template, "AWS::SQS::Queue")
    found = []
    for function, properties, mapping in queue_mappings(template):
        queue = _queue_of(mapping)
        seconds = queues.get(queue, {}).get("Properties", {}).get("VisibilityTimeout", DEFAULT_VISIBILITY_SECONDS)
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        needed = 6 * properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS) + window
        if seconds < needed:
            found.append(f"{function}: VisibilityTimeout of {queue} is {seconds} s, needed are {needed} s")
    return found


def concurrency(template: Template) -> list[str]:
    """Every queue mapping has a cap that SQS mappings accept, and so has the parameter that sets one."""
    low, high = CONCURRENCY_BOUNDS
    found = []
    for function, _, mapping in queue_mappings(template):
        cap = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if isinstance(cap, dict):
            parameter = template["Parameters"][cap["Ref"]]
            if (parameter.get("MinValue"), parameter.get("MaxValue")) != CONCURRENCY_BOUNDS:
                found.append(f"parameter {cap['Ref']} must accept {low} to {high} and nothing else")
        elif cap is None or not low <= cap <= high:
            found.append(f"{function}: MaximumConcurrency is {cap}, not {low} to {high}")
    return found


def log_retention(template: Template) -> list[str]:
    """Every function writes to a log group of its own; every log group forgets."""
    groups = resources(template, "AWS::Logs::LogGroup")
    found = [
        f"{logical_id}: has no RetentionInDays"
        for logical_id, group in groups.items()
        if "RetentionInDays" not in group.get("Properties", {})
    ]
    owners: dict[str, str] = {}
    for function, properties in functions(template).items():
        group = next(references(properties.get("LoggingConfig", {}).get("LogGroup")), "")
        if group not in groups:
            found.append(f"{function}: has no log group in this template")
        elif group in owners:
            found.append(f"{function}: shares the log group {group} with {owners[group]}")
        owners[group] = function
    return found


def machine_logs(template: Template) -> list[str]:
    """Every state machine writes its errors to a log group of its own, and neither inputs nor outputs: task tokens."""
    owners = {
        next(references(properties.get("LoggingConfig", {}).get("LogGroup")), ""): function
        for function, properties in functions(template).items()
    }
    found = []
    for logical_id, machine in resources(template, "AWS::Serverless::StateMachine").items():
        logging = machine.get("Properties", {}).get("Logging", {})
        groups = [group for group in references(logging.get("Destinations")) if group not in owners]
        if len(groups) != 1 or groups[0] not in resources(template, "AWS::Logs::LogGroup"):
            found.append(f"{logical_id}: has no log group of its own")
        if logging.get("Level") not in ("ERROR", "ALL"):
            found.append(f"{logical_id}: does not log its errors")
        if logging.get("IncludeExecutionData") is not False:
            found.append(f"{logical_id}: logs inputs and outputs")
    return found


def deployed(template: Template) -> Template:
    """The template as CloudFormation gets it: SAM's types replaced by the resources that they stand for."""

    class NoPolicyNames:
        """Managed policies are named by their ARN already; nothing is looked up."""

        def load(self) -> dict[str, str]:
            return {}

    document = copy.deepcopy(template)
    for resource in document["Resources"].values():
        for key in ("CodeUri", "ContentUri", "DefinitionUri", "Location"):
            if isinstance(resource.get("Properties", {}).get(key), str):
                resource["Properties"][key] = "s3://bucket/key"
    answer = transform(document, {}, NoPolicyNames())
    assert isinstance(answer, dict)
    return answer


def statements(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each policy statement of roles, buckets, queues and topics, with its resource's logical id."""
    for logical_id, resource in resources(deployed(template)).items():
        properties = resource.get("Properties", {})
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", []) if isinstance(policy, dict)]
        if isinstance(properties.get("PolicyDocument"), dict):
            documents.append(properties["PolicyDocument"])
        for document in documents:
            yield from ((logical_id, statement) for statement in listed(document["Statement"]))


def listed(value: Any) -> list[Any]:
    """What a template may write as one value or as a list."""
    return value if isinstance(value, list) else [value]


def written(value: object) -> str:
    """A resource of a statement as one reads it: `${UploadsBucket.Arn}/posts/*`."""
    if isinstance(value, dict):
        if "Fn::Sub" in value:
            return str(value["Fn::Sub"])
        if "Fn::GetAtt" in value:
            return "${" + ".".join(value["Fn::GetAtt"]) + "}"
        if "Ref" in value:
            return "${" + str(value["Ref"]) + "}"
    return str(value)


def narrow_actions(template: Template) -> list[str]:
    """No allowed action and no principal is a wildcard."""
    found = []
    for logical_id, statement in statements(template):
        if statement["Effect"] == "Deny":
            continue
        found += [f"{logical_id}: may do {action}" for action in listed(statement["Action"]) if "*" in action]
        if "*" in (statement.get("Principal"), *dict(statement.get("Principal") or {}).values()):
            found.append(f"{logical_id}: anybody may do {statement['Action']}")
    return found


def wide_resources(template: Template) -> set[tuple[str, str]]:
    """Allowed resources that end in a wildcard: logical id and resource."""
    return {
        (logical_id, written(resource))
        for logical_id, statement in statements(template)
        if statement["Effect"] != "Deny"
        for resource in listed(statement.get("Resource", []))
        if written(resource).endswith("*")
    }


def managed_policies(template: Template) -> list[str]:
    """AWS's own policies come in only where SAM needs them."""
    found = []
    for logical_id, role in resources(deployed(template), "AWS::IAM::Role").items():
        for policy in role["Properties"].get("ManagedPolicyArns", []):
            if written(policy).rsplit("/", 1)[-1] not in MANAGED_POLICIES:
                found.append(f"{logical_id}: uses the managed policy {written(policy)}")
    return found


def private_buckets(template: Template) -> list[str]:
    """Buckets are private, encrypted, owned by us, forget, and refuse plain HTTP."""
    guarded = {
        next(references(policy["Properties"]["Bucket"]), "")
        for policy in resources(template, "AWS::S3::BucketPolicy").values()
        if any(_refuses_plain_http(s, policy) for s in policy["Properties"]["PolicyDocument"]["Statement"])
    }
    found = []
    for logical_id, bucket in resources(template, "AWS::S3::Bucket").items():
        properties = bucket.get("Properties", {})
        block = properties.get("PublicAccessBlockConfiguration", {})
        switches = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        ownership = properties.get("OwnershipControls", {}).get("Rules", [{}])[0].get("ObjectOwnership")
        checks = {
            "is not closed to the public": all(block.get(switch) is True for switch in switches),
            "has no encryption": "BucketEncryption" in properties,
            "has no lifecycle": bool(properties.get("LifecycleConfiguration", {}).get("Rules")),
            "lets writers own objects": ownership == "BucketOwnerEnforced",
            "has no policy that refuses plain HTTP": logical_id in guarded,
        }
        found += [f"{logical_id}: {problem}" for problem, right in checks.items() if not right]
    return found


def _refuses_plain_http(statement: Mapping[str, Any], policy: Mapping[str, Any]) -> bool:
    bucket = next(references(policy["Properties"]["Bucket"]), "")
    everything = {f"${{{bucket}.Arn}}", f"${{{bucket}.Arn}}/*"}
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == "s3:*"
        and {written(resource) for resource in listed(statement["Resource"])} == everything
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def safe_tables(template: Template) -> list[str]:
    """Tables can be restored to any second, are encrypted, and are paid for by request."""
    found = []
    for logical_id, table in resources(template, "AWS::DynamoDB::Table").items():
        properties = table.get("Properties", {})
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        checks = {
            "has no point-in-time recovery": recovery.get("PointInTimeRecoveryEnabled") is True,
            "is not encrypted": properties.get("SSESpecification", {}).get("SSEEnabled") is True,
            "is not on demand": properties.get("BillingMode") == "PAY_PER_REQUEST",
        }
        found += [f"{logical_id}: {problem}" for problem, right in checks.items() if not right]
    return found


def encrypted_queues(template: Template) -> list[str]:
    """Queues are encrypted and keep messages for 14 days: time to come back from a holiday."""
    found = []
    for logical_id, queue in resources(template, "AWS::SQS::Queue").items():
        properties = queue.get("Properties", {})
        if properties.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in properties:
            found.append(f"{logical_id}: is not encrypted")
        if properties.get("MessageRetentionPeriod") != 14 * 86400:
            found.append(f"{logical_id}: does not keep messages for 14 days")
    return found


def kept_data(template: Template) -> list[str]:
    """What holds people's data outlives the stack and a replacement."""
    return [
        f"{logical_id}: {policy} would delete data"
        for logical_id, resource in resources(template, *STATEFUL).items()
        for policy in ("DeletionPolicy", "UpdateReplacePolicy")
        if resource.get(policy) not in KEPT
    ]


def logical_names(template: Template) -> list[str]:
    """A function's code lies in the folder of its name."""
    return [
        f"{logical_id}: CodeUri is {properties.get('CodeUri')}, expected functions/{folder_of(logical_id)}"
        for logical_id, properties in functions(template).items()
        if properties.get("CodeUri") != f"functions/{folder_of(logical_id)}" or not logical_id.endswith("Function")
    ]


def physical_names(template: Template) -> list[str]:
    """Nothing has a name of its own; SAM names a schedule after its event unless it is told not to."""
    found = [
        f"{logical_id}: {key} is a physical name"
        for logical_id, resource in resources(template).items()
        for key in PHYSICAL_NAMES.get(resource["Type"], ())
        if key in resource.get("Properties", {})
    ]
    found += [
        f"{logical_id}: the schedule {name} gets a physical name"
        for logical_id, resource in resources(template).items()
        for name, source in resource.get("Properties", {}).get("Events", {}).items()
        if source["Type"] == "ScheduleV2" and source["Properties"].get("OmitName") is not True
    ]
    return found


def signed_in_routes(template: Template) -> list[str]:
    """Every route of the API asks for a token."""
    authorizers = resources(template, "AWS::ApiGatewayV2::Authorizer")
    return [
        f"{logical_id}: is open to anybody"
        for logical_id, route in resources(template, "AWS::ApiGatewayV2::Route").items()
        if route["Properties"].get("AuthorizationType") != "JWT"
        or next(references(route["Properties"].get("AuthorizerId")), None) not in authorizers
    ]


def used_parameters(template: Template) -> list[str]:
    """Every parameter is used."""
    used = set(references({key: value for key, value in template.items() if key != "Parameters"}))
    return [f"parameter {name} is not used" for name in template.get("Parameters", {}) if name not in used]


def endpoint_variable(text: str) -> list[str]:
    """MiniStack sets the endpoint variable itself; an empty one in a template breaks every client."""
    return [
        f"line {number} names AWS_ENDPOINT_URL"
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"\bAWS_ENDPOINT_URL\b", line)
    ]


RULES = (
    partial_failures,
    dead_letters,
    visibility,
    concurrency,
    log_retention,
    machine_logs,
    narrow_actions,
    managed_policies,
    private_buckets,
    safe_tables,
    encrypted_queues,
    kept_data,
    logical_names,
    physical_names,
    signed_in_routes,
    used_parameters,
)
