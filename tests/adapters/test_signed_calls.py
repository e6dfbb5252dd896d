"""Our calls to clouds are signed as the clouds' own packages sign them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from alibabacloud_tea_openapi.utils import Utils
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.ccc.v20200210.ccc_client import CccClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal

from adapters._common.rpcsign import rpc_call, signed_rpc
from adapters._common.sigv4 import AwsKey, object_call, signed_v4
from adapters._common.tc3 import signed_tc3, tc3_call
from router.channel.contract import HttpCall
from tests.adapters.case_files import ENTROPY, NOW

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]),
    min_size=1,
    max_size=30,
)


def amazons(call: HttpCall, service: str, region: str) -> str:
    """Return the signature that botocore makes for the same headers and time."""
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = kind(Credentials("AKIDEXAMPLE", SECRET), service, region)
    headers = {name: value for name, value in call.headers if name != "authorization"}
    request = AWSRequest(method=call.method, url=call.url, headers=headers, data=call.body)
    request.context["timestamp"] = headers["x-amz-date"]
    text = auth.string_to_sign(request, auth.canonical_request(request))
    found: str = auth.signature(text, request)
    return found


def made(call: HttpCall) -> str:
    return dict(call.headers)["authorization"].rpartition("Signature=")[2]


@given(NAMES)
def test_an_object_of_s3_is_asked_for_as_amazons_package_asks(name: str) -> None:
    key = AwsKey(id="AKIDEXAMPLE", secret=SECRET)
    call = object_call("demo-bucket", name, region="eu-west-1")
    signed = signed_v4(call, key, region="eu-west-1", service="s3", now=NOW)
    assert made(signed) == amazons(signed, "s3", "eu-west-1")


@pytest.mark.parametrize("query", ["", "?b=2&a=1", "?a=x%20y&A=%2F&a="])
def test_a_call_to_another_service_is_signed_so_too(query: str) -> None:
    key = AwsKey(id="AKIDEXAMPLE", secret=SECRET, session_token="token")
    url = f"https://connect.eu-west-1.amazonaws.com/contacts/a-1/c-2{query}"
    call = HttpCall(method="POST", url=url, headers=(("content-type", "a  b"),), body="你".encode())
    signed = signed_v4(call, key, region="eu-west-1", service="connect", now=NOW)
    assert made(signed) == amazons(signed, "connect", "eu-west-1")


@given(NAMES)
def test_alibabas_package_makes_the_same_signature(contact: str) -> None:
    call = rpc_call("https://ccc.example", "GetConversationDetail", "2020-07-01", ContactId=contact)
    signed = signed_rpc(call, key_id="LTAI", secret=SECRET, now=NOW, entropy=ENTROPY)
    given_parts = parse_qs(urlsplit(signed.url).query, keep_blank_values=True)
    told: Mapping[str, str] = {name: values[0] for name, values in given_parts.items()}
    unsigned = {name: value for name, value in told.items() if name != "Signature"}
    assert told["Signature"] == Utils.get_rpcsignature(unsigned, "GET", SECRET)
    assert told["ContactId"] == contact


@given(NAMES)
def test_tencents_package_makes_the_same_signature(session: str) -> None:
    asked = {"SdkAppId": 1400000001, "SessionId": session}
    call = tc3_call("https://ccc.tencentcloudapi.com", "DescribeTelRecordAsr", "2020-02-10", asked)
    signed = signed_tc3(call, secret_id="AKID", secret_key=SECRET, service="ccc", now=NOW)
    headers = dict(signed.headers)
    request = RequestInternal("ccc.tencentcloudapi.com", "POST", "/", {}, signed.body)
    request.header = {
        "Content-Type": headers["content-type"],
        "Host": "ccc.tencentcloudapi.com",
        "X-TC-Timestamp": headers["x-tc-timestamp"],
    }
    client: Any = CccClient(Credential("AKID", SECRET), "")
    date = NOW.strftime("%Y-%m-%d")
    theirs = client._get_tc3_signature({}, request, date, "ccc", SECRET)  # noqa: SLF001
    assert made(signed) == theirs
