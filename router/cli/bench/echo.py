"""The limit: aiohttp alone, which reads a request and answers as the daemon would."""

import asyncio
import sys

from aiohttp import web


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b"success", headers={"Content-Type": "text/plain; charset=utf-8"})


_STREAMS = web.AppKey("STREAMS", set[web.StreamResponse])


async def _stream(request: web.Request) -> web.StreamResponse:
    """Keep a page's stream open until it leaves."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    request.app[_STREAMS].add(answer)
    await asyncio.Event().wait()
    return answer


async def _ring(request: web.Request) -> web.Response:
    """Write one event to every page, as the daemon writes it."""
    streams = request.app[_STREAMS]
    for each in tuple(streams):
        await each.write(b'event: desk\nid: 1\ndata: {"seq":1}\n\n')
    return web.Response(text="rung")


def main() -> None:
    """Serve on the given port of the loopback address until ended."""
    app = web.Application()
    app[_STREAMS] = set()
    app.router.add_get("/stream", _stream)
    app.router.add_post("/ring", _ring)
    app.router.add_post("/{tail:.*}", _answer)
    app.router.add_get("/healthz", _answer)
    port = int(sys.argv[1])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
