"""Records are read whatever the types of their fields; what is no record is refused with a reason."""

import pytest

from trailfit.cloudtrail.record import NotRecordError, parse_record


def test_wrong_types_become_absent_and_the_rest_stays():
    record = parse_record(
        {
            "eventName": "GetObject",
            "eventSource": "s3.amazonaws.com",
            "readOnly": "true",
            "errorCode": "null",
            "userIdentity": {"type": "IAMUser", "accountId": 111122223333, "sessionContext": []},
            "awsRegion": ["eu-west-1"],
        }
    )

    assert record.readOnly is True
    assert record.errorCode is None
    assert record.userIdentity.accountId == "111122223333"
    assert record.userIdentity.sessionContext is None
    assert record.awsRegion is None


def test_bytes_and_dict_give_the_same_record():
    text = '{"eventName":"A","eventSource":"s3.amazonaws.com","requestParameters":{"a":1}}'

    assert bytes(parse_record(text).requestParameters) == b'{"a":1}'
    assert parse_record(text.encode()).eventName == parse_record({"eventName": "A", "eventSource": "s"}).eventName


@pytest.mark.parametrize(
    "what", [b"", b"[]", b"{", b'{"a":1}', [], 7, {"eventName": 3, "eventSource": "s"}, b"[" * 5000]
)
def test_what_is_no_record_is_refused(what):
    with pytest.raises(NotRecordError):
        parse_record(what)
