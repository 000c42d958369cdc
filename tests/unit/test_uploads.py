"""Messages of the screening queue."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import InvalidRequest
from pawcast.screening.uploads import notification, parse_body
from tests.support.screening import an_upload, post_id


def s3_body(**changes: Any) -> str:
    thing = {"key": f"posts/{post_id(1)}/original", "size": 5, "versionId": "v1"} | changes
    return json.dumps({"Records": [{"eventTime": "2026-11-23T09:00:00.000Z", "s3": {"object": thing}}]})


def test_the_test_event_that_s3_sends_first_announces_nothing() -> None:
    assert () == parse_body('{"Service": "Amazon S3", "Event": "s3:TestEvent"}')


def test_a_key_is_read_as_s3_encodes_it() -> None:
    (upload,) = parse_body(s3_body(key=f"posts%2F{post_id(1)}%2Foriginal"))

    assert f"posts/{post_id(1)}/original" == upload.key


def test_an_upload_sent_again_is_read_as_the_same_upload() -> None:
    assert (an_upload(),) == parse_body(notification([an_upload()]))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"Records": [{}]}',
        '{"Records": 3}',
        s3_body(key="posts/../../etc/passwd"),
        s3_body(key="other/x/original"),
        s3_body(key="posts/NOT-AN-ID/original"),
        s3_body(versionId=None),
        s3_body(size="big"),
    ],
)
def test_a_body_that_is_no_notification_of_ours_is_an_error(body: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_body(body)


@given(
    st.text()
    | st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_whatever_a_body_holds_it_is_read_or_refused(body: str) -> None:
    try:
        uploads = parse_body(body)
    except InvalidRequest:
        return

    assert () == uploads
