"""One call and its answer: what has left, what may have left, and what is never followed."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from router.channel.contract import HttpCall
from router.transport.http import Doubtful, NotSent, open_http
from tests.support.processes import free_port
from tests.transport.platform import OK, Held, Platform, breaks_off, cuts, leads_to, says
from tests.transport.rig import settings


def call(url: str, *, method: str = "POST", body: bytes = b"{}") -> HttpCall:
    return HttpCall(method=method, url=url, headers=(("content-type", "text/plain"),), body=body)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/", "https://127.0.0.1:{plain}/"],
    ids=["refused", "unknown name", "no TLS there"],
)
async def test_where_nobody_is_reached_nothing_has_left(
    platform: Platform, tmp_path: Path, address: str
) -> None:
    url = address.format(port=free_port(), plain=platform.url.rpartition(":")[2])
    async with open_http(settings(tmp_path)) as http:
        with pytest.raises(NotSent):
            await http.carry(call(url))
    assert platform.seen == []


async def test_a_server_that_takes_no_connection_in_time_was_sent_nothing(tmp_path: Path) -> None:
    quick = settings(tmp_path, connect=timedelta(milliseconds=200))
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it never answers the TLS handshake
        port = silent.getsockname()[1]
        async with open_http(quick) as http:
            with pytest.raises(NotSent):
                await http.carry(call(f"https://127.0.0.1:{port}/"))


@pytest.mark.parametrize("answer", [cuts, breaks_off], ids=["no answer", "half an answer"])
async def test_a_connection_that_is_cut_leaves_a_doubt(
    platform: Platform, tmp_path: Path, answer: Held
) -> None:
    platform.will("/send", answer)
    async with open_http(settings(tmp_path)) as http:
        with pytest.raises(Doubtful):
            await http.carry(call(f"{platform.url}/send"))
    assert len(platform.seen) == 1


async def test_a_late_answer_leaves_a_doubt(platform: Platform, tmp_path: Path) -> None:
    held = Held(then=OK)
    platform.will("/send", held)
    async with open_http(settings(tmp_path, total=timedelta(milliseconds=200))) as http:
        with pytest.raises(Doubtful):
            await http.carry(call(f"{platform.url}/send"))
    held.go.set()


async def test_an_answer_without_end_is_not_read_to_its_end(
    platform: Platform, tmp_path: Path
) -> None:
    platform.will("/send", says("x" * 100_000))
    async with open_http(settings(tmp_path, most_answer=10_000)) as http:
        with pytest.raises(Doubtful):
            await http.carry(call(f"{platform.url}/send"))


async def test_a_redirect_is_an_answer_and_not_followed(platform: Platform, tmp_path: Path) -> None:
    platform.will("/send", leads_to(f"{platform.url}/elsewhere"))
    async with open_http(settings(tmp_path)) as http:
        reply = await http.carry(call(f"{platform.url}/send?access_token=secret"))
    assert (reply.status, reply.headers["location"]) == (302, f"{platform.url}/elsewhere")
    assert [each.path for each in platform.seen] == ["/send"]


async def test_what_was_signed_goes_out_as_it_was_signed(
    platform: Platform, tmp_path: Path
) -> None:
    body = "烦".encode() * 700_000  # two megabytes
    async with open_http(settings(tmp_path)) as http:
        await http.carry(call(f"{platform.url}/send?sign=a%2Fb%7E+c", body=body))
    [seen] = platform.seen
    assert (seen.query, seen.body) == ({"sign": "a/b~ c"}, body)


async def test_a_question_is_asked_again_and_a_send_is_not(
    platform: Platform, tmp_path: Path
) -> None:
    platform.will("/get", cuts, cuts)
    platform.will("/send", cuts)
    async with open_http(settings(tmp_path, first_wait=timedelta(milliseconds=20))) as http:
        reply = await http.get(call(f"{platform.url}/get", method="GET", body=b""))
        with pytest.raises(Doubtful):
            await http.carry(call(f"{platform.url}/send"))
    assert reply.status == 200
    assert len(platform.asked("/send")) == 1
    assert len(platform.asked("/get")) >= 3


async def test_an_error_says_nothing_of_the_address_or_its_credentials(tmp_path: Path) -> None:
    async with open_http(settings(tmp_path)) as http:
        for url in (f"http://127.0.0.1:{free_port()}/?token=secret", "http://[secret/", "secret"):
            with pytest.raises(NotSent) as caught:
                await http.carry(call(url))
            assert "secret" not in repr(caught.value)
            assert caught.value.__cause__ is None
