"""What the shop has written, in and out as files, over the API."""

import pytest

from tests.web.program import Program


@pytest.mark.parametrize(
    ("path", "text", "field"),
    [
        ("/knowledge-file", "id,questions,answer_zh\na,怎么退货,七天\n", "answer_zh"),
        ("/product-file", "id,title_zh\na,沙发\n", "title_zh"),
        ("/script-file", "id,title,wording.any.zh\na,问候,您好\n", "wording.any.zh"),
    ],
)
async def test_a_file_goes_in_and_out_and_names_what_is_wrong(
    boss: Program, path: str, text: str, field: str
) -> None:
    taken = await boss.post(path, json={"format": "csv", "text": text})
    assert taken == {"rows": 1, "changed": 1}
    given = await boss.get(f"{path}?format=csv")
    assert field in given["text"]
    again = await boss.post(path, json=given)
    assert again == {"rows": 1, "changed": 0}
    lacking = text.rpartition(",")[0] + ",\n"
    refused = await boss.post(path, json={"format": "csv", "text": lacking}, status=400)
    assert refused["error"]["field"] == "text"
    assert f"line 2: {field}" in refused["error"]["message"]
