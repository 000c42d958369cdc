"""The site's files in its bucket: all of them, with their types, and nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

from pawcast_ops.outputs import Stack
from pawcast_ops.site import WEB, site_files, upload
from tests.support.aws import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OUTPUTS = {
    "SiteBucketName": "site",
    "UserPoolId": "ap-northeast-2_abc",
    "UserPoolClientId": "client",
    "SiteUrl": "https://x.example",
}


def test_the_bucket_holds_the_pages_their_types_and_where_the_stack_is(s3: "S3Client") -> None:
    s3.create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="site", Key="old.html", Body=b"gone")
    stack = Stack(outputs=OUTPUTS, endpoint_url=None, region=REGION)
    files = list(site_files(WEB, stack))

    first, second = upload(stack, files), upload(stack, files)

    keys = {thing["Key"] for thing in s3.list_objects_v2(Bucket="site")["Contents"]}
    config = s3.get_object(Bucket="site", Key="config.json")["Body"].read()
    assert (len(files) + 1, 0) == (first, second)
    assert {"weeks.html", "config.json", "js/api.js"} <= keys
    assert "old.html" not in keys
    assert "text/javascript; charset=utf-8" == s3.head_object(Bucket="site", Key="js/api.js")["ContentType"]
    assert b"https://cognito-idp.ap-northeast-2.amazonaws.com/" in config


def test_hidden_files_stay_at_home(tmp_path: Path) -> None:
    (tmp_path / ".secret").write_text("x")
    (tmp_path / "weeks.html").write_text("x")

    keys = [each.key for each in site_files(tmp_path, Stack(outputs=OUTPUTS, endpoint_url=None, region=REGION))]

    assert ["weeks.html", "config.json"] == keys
