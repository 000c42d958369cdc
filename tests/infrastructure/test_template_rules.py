"""House rules of template.yaml, each run on the real template and on one that breaks it."""

import ast
import inspect
from collections.abc import Callable

import pytest

import pawcast.settings
from pawcast.forecasting.warehouse import CALENDAR, PROMOTIONS, STORES, TABLES, VISITS
from pawcast.settings import Settings
from tests.support import house_rules as rules
from tests.support.template import ROOT, Template, environment_of, folder_of, functions, parse, references, resources

Rule = Callable[[Template], list[str]]

MAIL = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"
EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${WeeklyForecast.Name}"

# Every allowed resource that ends in a wildcard, and why it has to.
WIDE_RESOURCES = {
    ("ServePostsFunctionRole", "${UploadsBucket.Arn}/posts/*"): "signs uploads: one key for each post",
    ("ServePostsFunctionRole", "${UploadsBucket.Arn}/mosaics/*"): "erases what is withdrawn: one key for each mosaic",
    ("ServePostsFunctionRole", "${PublishedBucket.Arn}/photos/*"): "signs views: one key for each photo",
    ("ServePostsFunctionRole", "${PublishedBucket.Arn}/mosaics/*"): "signs previews: one key for each mosaic",
    ("ScreenPhotosFunctionRole", "${UploadsBucket.Arn}/posts/*"): "reads uploads: one key for each post",
    ("ScreenPhotosFunctionRole", "${PublishedBucket.Arn}/photos/*"): "writes renditions: one key for each photo",
    ("ScreenPhotosFunctionRole", "${ModelsBucket.Arn}/models/*"): "loads the version that the policy names",
    ("ScreenPhotosFunctionRole", "${UploadsBucket.Arn}/mosaics/*"): "reads mosaics: one key for each",
    ("ScreenPhotosFunctionRole", "${BanksBucket.Arn}/banks/*"): "loads the snapshot of the hash banks",
    ("ServeReviewsFunctionRole", "${UploadsBucket.Arn}/posts/*"): "signs views of uploads that could not be rendered",
    ("ServeReviewsFunctionRole", "${UploadsBucket.Arn}/mosaics/*"): "signs views of mosaics that could not be rendered",
    ("ServeReviewsFunctionRole", "${PublishedBucket.Arn}/photos/*"): "signs views: one key for each photo",
    ("MosaicPhotosFunctionRole", "${UploadsBucket.Arn}/posts/*"): "reads uploads: one key for each post",
    ("MosaicPhotosFunctionRole", "${UploadsBucket.Arn}/mosaics/*"): "writes mosaics: one key for each",
    ("MosaicPhotosFunctionRole", "${PublishedBucket.Arn}/mosaics/*"): "writes previews: one key for each mosaic",
    ("MosaicPhotosFunctionRole", "${ModelsBucket.Arn}/models/*"): "loads the detector that the policy names",
    ("CompactBanksFunctionRole", "${BanksBucket.Arn}/banks/*"): "reads and writes the snapshot",
    ("ExpireUploadsFunctionRole", "${UploadsBucket.Arn}/posts/*"): "looks whether an upload came, erases",
    ("ExpireUploadsFunctionRole", "${UploadsBucket.Arn}/mosaics/*"): "erases what is withdrawn",
    ("ExpireUploadsFunctionRole", "${PublishedBucket.Arn}/photos/*"): "erases what is withdrawn",
    ("ExpireUploadsFunctionRole", "${PublishedBucket.Arn}/mosaics/*"): "erases what is withdrawn",
    ("InferenceStreamRole", "${LogsBucket.Arn}/inference*"): "Firehose makes the keys, by date; failures beside them",
    (
        "SendNoticesFunctionRole",
        MAIL,
    ): "the sender may be verified as an address or as a domain; narrowed by FromAddress",
    ("SiteBucketPolicy", "${SiteBucket.Arn}/*"): "CloudFront serves every file; narrowed to one distribution",
    ("IngestDropsFunctionRole", "${DropsBucket.Arn}/drops/*"): "senders make the keys",
    ("IngestDropsFunctionRole", "${DropsBucket.Arn}/ingest-reports/*"): "one report for each drop",
    ("OpenWeekFunctionRole", "${PlansBucket.Arn}/runs/*"): "writes what each shard knows",
    ("OpenWeekFunctionRole", "${ModelsBucket.Arn}/models/*"): "loads the versions that the release names",
    ("ForecastShardFunctionRole", "${PlansBucket.Arn}/runs/*"): "the files of its shard; one folder for each run",
    ("PlanShardFunctionRole", "${PlansBucket.Arn}/runs/*"): "the files of its shard; one folder for each run",
    ("EvaluateWeekFunctionRole", "${PlansBucket.Arn}/runs/*"): "this run's history and the forecast of an earlier run",
    ("EvaluateWeekFunctionRole", "${PlansBucket.Arn}/evaluations/*"): "errors of each week, read by later weeks",
    ("ReportWeekFunctionRole", "${PlansBucket.Arn}/runs/*"): "gathers all shards, writes the report",
    ("TellStoresFunctionRole", "${PlansBucket.Arn}/runs/*"): "reads the plans of its shard",
    ("TellStoresFunctionRole", "${PlansBucket.Arn}/stores/*"): "one plan for each store, week and version",
    ("TellStoresFunctionRole", "${WarehouseBucket.Arn}/forecasts/*"): "one file for each week and shard",
    ("TellStoresFunctionRole", "${WarehouseBucket.Arn}/plans/*"): "one file for each week and shard",
    (
        "TellStoresFunctionRole",
        MAIL,
    ): "the sender may be verified as an address or as a domain; narrowed by FromAddress",
    ("ServeWeeksFunctionRole", "${PlansBucket.Arn}/runs/*"): "shows plans, signs links to reports",
    ("ServeWeeksFunctionRole", "*"): "SendTaskSuccess and SendTaskFailure know no resource; the token is the right",
    ("WeeklyForecastRole", "*"): "log delivery is set up for the account: its actions know no resource",
    ("WeeklyForecastShardsPolicy", f"{EXECUTIONS}:*"): "an execution gets its id when it starts",
    ("WeeklyForecastShardsPolicy", f"{EXECUTIONS}/*"): "executions of its Distributed Maps, named by label and id",
} | {
    (f"{function}FunctionRole", f"${{WarehouseBucket.Arn}}/{table.name}/*"): "one folder a month, one file a drop"
    for function, tables in {
        "IngestDrops": TABLES,
        "CompactWarehouse": TABLES,
        "OpenWeek": (VISITS, STORES, CALENDAR, PROMOTIONS),
    }.items()
    for table in tables
}

BAD: dict[str, tuple[str, list[str]]] = {
    "partial_failures": (
        """
        Resources:
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Events: {Food: {Type: SQS, Properties: {Queue: !GetAtt FoodQueue.Arn}}}
        """,
        ["EatFunction: the mapping of FoodQueue lacks ReportBatchItemFailures"],
    ),
    "dead_letters": (
        """
        Resources:
          FoodQueue: {Type: AWS::SQS::Queue}
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Events: {Food: {Type: SQS, Properties: {Queue: !GetAtt FoodQueue.Arn}}}
        """,
        ["EatFunction: queue FoodQueue has no DLQ"],
    ),
    "visibility": (
        """
        Resources:
          FoodQueue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 180}}
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Timeout: 30
              Events:
                Food: {Type: SQS, Properties: {Queue: !GetAtt FoodQueue.Arn, MaximumBatchingWindowInSeconds: 1}}
        """,
        ["EatFunction: VisibilityTimeout of FoodQueue is 180 s, needed are 181 s"],
    ),
    "concurrency": (
        """
        Parameters:
          Cap: {Type: Number, MinValue: 1, MaxValue: 1000}
        Resources:
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Food: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, ScalingConfig: {MaximumConcurrency: !Ref Cap}}}
                Drink: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, ScalingConfig: {MaximumConcurrency: 1}}}
                Air: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}
        """,
        [
            "parameter Cap must accept 2 to 1000 and nothing else",
            "EatFunction: MaximumConcurrency is 1, not 2 to 1000",
            "EatFunction: MaximumConcurrency is None, not 2 to 1000",
        ],
    ),
    "log_retention": (
        """
        Resources:
          ALogGroup: {Type: AWS::Logs::LogGroup}
          AFunction: {Type: AWS::Serverless::Function, Properties: {LoggingConfig: {LogGroup: !Ref ALogGroup}}}
          BFunction: {Type: AWS::Serverless::Function, Properties: {LoggingConfig: {LogGroup: !Ref ALogGroup}}}
          CFunction: {Type: AWS::Serverless::Function}
        """,
        [
            "ALogGroup: has no RetentionInDays",
            "BFunction: shares the log group ALogGroup with AFunction",
            "CFunction: has no log group in this template",
        ],
    ),
    "machine_logs": (
        """
        Resources:
          ALogGroup: {Type: AWS::Logs::LogGroup}
          AFunction: {Type: AWS::Serverless::Function, Properties: {LoggingConfig: {LogGroup: !Ref ALogGroup}}}
          AMachine:
            Type: AWS::Serverless::StateMachine
            Properties:
              Logging:
                Level: ERROR
                IncludeExecutionData: true
                Destinations: [{CloudWatchLogsLogGroup: {LogGroupArn: !GetAtt ALogGroup.Arn}}]
          BMachine: {Type: AWS::Serverless::StateMachine}
        """,
        [
            "AMachine: has no log group of its own",
            "AMachine: logs inputs and outputs",
            "BMachine: has no log group of its own",
            "BMachine: does not log its errors",
            "BMachine: logs inputs and outputs",
        ],
    ),
    "narrow_actions": (
        """
        Resources:
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Runtime: python3.13
              Handler: app.lambda_handler
              CodeUri: functions/eat
              Policies:
                - Statement:
                    - {Effect: Allow, Action: "s3:*", Resource: !GetAtt FoodBucket.Arn}
                    - {Effect: Deny, Action: "*", Resource: "*"}
          FoodBucketPolicy:
            Type: AWS::S3::BucketPolicy
            Properties:
              Bucket: food
              PolicyDocument:
                Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: s3:GetObject, Resource: food}]
        """,
        ["FoodBucketPolicy: anybody may do s3:GetObject", "EatFunctionRole: may do s3:*"],
    ),
    "managed_policies": (
        """
        Resources:
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Runtime: python3.13
              Handler: app.lambda_handler
              CodeUri: functions/eat
              Policies: [arn:aws:iam::aws:policy/AdministratorAccess]
        """,
        ["EatFunctionRole: uses the managed policy arn:aws:iam::aws:policy/AdministratorAccess"],
    ),
    "private_buckets": (
        """
        Resources:
          FoodBucket:
            Type: AWS::S3::Bucket
            Properties:
              PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true}
          FoodBucketPolicy:
            Type: AWS::S3::BucketPolicy
            Properties:
              Bucket: !Ref FoodBucket
              PolicyDocument:
                Statement:
                  - Effect: Deny
                    Principal: "*"
                    Action: "s3:*"
                    Resource: !GetAtt FoodBucket.Arn
                    Condition: {Bool: {"aws:SecureTransport": "false"}}
        """,
        [
            "FoodBucket: is not closed to the public",
            "FoodBucket: has no encryption",
            "FoodBucket: has no lifecycle",
            "FoodBucket: lets writers own objects",
            "FoodBucket: has no policy that refuses plain HTTP",
        ],
    ),
    "safe_tables": (
        "Resources: {FoodTable: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PROVISIONED}}}",
        [
            "FoodTable: has no point-in-time recovery",
            "FoodTable: is not encrypted",
            "FoodTable: is not on demand",
        ],
    ),
    "encrypted_queues": (
        "Resources: {FoodQueue: {Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: false}}}",
        ["FoodQueue: is not encrypted", "FoodQueue: does not keep messages for 14 days"],
    ),
    "kept_data": (
        "Resources: {FoodTable: {Type: AWS::DynamoDB::Table, DeletionPolicy: Retain}}",
        ["FoodTable: UpdateReplacePolicy would delete data"],
    ),
    "logical_names": (
        "Resources: {EatFoodFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/eat}}}",
        ["EatFoodFunction: CodeUri is functions/eat, expected functions/eat_food"],
    ),
    "physical_names": (
        """
        Resources:
          FoodQueue: {Type: AWS::SQS::Queue, Properties: {QueueName: food}}
          EatFunction:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                Noon: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
                Night: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), OmitName: true}}
        """,
        ["FoodQueue: QueueName is a physical name", "EatFunction: the schedule Noon gets a physical name"],
    ),
    "signed_in_routes": (
        "Resources: {EatRoute: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /food}}}",
        ["EatRoute: is open to anybody"],
    ),
    "used_parameters": (
        'Parameters: {Food: {Type: String}, Drink: {Type: String}}\nOutputs: {Menu: {Value: !Sub "${Food}!"}}',
        ["parameter Drink is not used"],
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule: Rule, template: Template) -> None:
    assert [] == rule(template)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_rule_finds_what_breaks_it(rule: Rule) -> None:
    text, expected = BAD[rule.__name__]

    assert expected == rule(parse(inspect.cleandoc(text)))


def test_every_wide_resource_of_a_role_is_explained_and_every_explanation_is_needed(template: Template) -> None:
    assert set(WIDE_RESOURCES) == rules.wide_resources(template)


def test_a_wide_resource_is_found_wherever_it_is_allowed() -> None:
    template = parse(
        inspect.cleandoc("""
        Resources:
          EatRole:
            Type: AWS::IAM::Role
            Properties:
              Policies:
                - PolicyName: eat
                  PolicyDocument:
                    Statement:
                      - {Effect: Allow, Action: s3:GetObject, Resource: [!Sub "${FoodBucket.Arn}/*", "*"]}
                      - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt FoodBucket.Arn}
        """)
    )

    assert {("EatRole", "${FoodBucket.Arn}/*"), ("EatRole", "*")} == rules.wide_resources(template)


def test_functions_and_folders_are_the_same(template: Template) -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders == {folder_of(logical_id) for logical_id in functions(template)}
    assert folders == {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


@pytest.mark.parametrize("path", ["template.yaml", "stacks", "functions", "layers"])
def test_nobody_sets_the_endpoint(path: str) -> None:
    start = ROOT / path
    files = [start] if start.is_file() else sorted({*start.rglob("*.yaml"), *start.rglob("*.py")})

    assert files
    assert {} == {
        file.name: found for file in files if (found := rules.endpoint_variable(file.read_text(encoding="utf-8")))
    }


def test_a_line_that_sets_the_endpoint_is_found() -> None:
    assert ["line 2 names AWS_ENDPOINT_URL"] == rules.endpoint_variable("Variables:\n  AWS_ENDPOINT_URL: ''\n")


def settings_of(folder: str) -> type[Settings]:
    """`screen_photos` reads `ScreenPhotosSettings`."""
    found: type[Settings] = getattr(pawcast.settings, folder.title().replace("_", "") + "Settings")
    return found


def folders() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))


@pytest.mark.parametrize("folder", folders())
def test_settings_and_environment_are_the_same(folder: str) -> None:
    variables = {name for name in environment_of(folder) if not name.startswith("POWERTOOLS_")}

    assert {name.upper() for name in settings_of(folder).model_fields} == variables


@pytest.mark.parametrize("folder", folders())
def test_settings_can_be_read_from_the_environment_of_the_template(folder: str) -> None:
    environment = environment_of(folder)

    read = settings_of(folder).read(environment)

    values = {
        name: f"{value:.15g}" if isinstance(value, float) else str(value) for name, value in read.model_dump().items()
    }
    assert {name: environment[name.upper()] for name in type(read).model_fields} == values


@pytest.mark.parametrize("folder", folders())
def test_the_service_of_logs_and_metrics_is_the_folder(folder: str) -> None:
    assert folder == environment_of(folder)["POWERTOOLS_SERVICE_NAME"]


def fields_read(settings: str, *sources: str) -> set[str]:
    """Fields that code reads from parameters and variables which are annotated with, or made by, this class."""
    found = set()
    for tree in map(ast.parse, sources):
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            names = {
                argument.arg
                for argument in (*function.args.args, *function.args.kwonlyargs)
                if argument.annotation is not None and settings in ast.unparse(argument.annotation)
            }
            found |= {
                node.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
            }
    return found


@pytest.mark.parametrize("folder", folders())
def test_every_setting_is_used(folder: str) -> None:
    settings = settings_of(folder)
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "layers/core/pawcast").rglob("*.py")]

    assert set(settings.model_fields) == fields_read(settings.__name__, *sources)


def test_a_setting_that_nothing_reads_is_seen() -> None:
    source = "def eat(settings: EatSettings, other: DrinkSettings):\n    settings.food, other.water\n"

    assert {"food"} == fields_read("EatSettings", source)


def test_the_nested_stack_gets_what_it_declares(template: Template, observability: Template) -> None:
    passed = set(template["Resources"]["Observability"]["Properties"]["Parameters"])
    declared = observability["Parameters"]
    required = {name for name, parameter in declared.items() if "Default" not in parameter}

    assert required <= passed <= set(declared)


def test_every_queue_mapping_of_the_template_was_looked_at(template: Template) -> None:
    mapped = {logical_id for logical_id, _, _ in rules.queue_mappings(template)}

    assert {
        "ScreenPhotosFunction",
        "RescueFailedPhotosFunction",
        "SendNoticesFunction",
        "MosaicPhotosFunction",
        "IngestDropsFunction",
    } == mapped


def test_outputs_name_resources_that_exist(template: Template) -> None:
    known = set(resources(template))

    assert set() == {name for name in references(template["Outputs"]) if name not in known}
