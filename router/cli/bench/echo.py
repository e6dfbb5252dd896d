"""The limit: aiohttp alone, which reads a request and answers as the daemon would."""

import sys

from aiohttp import web


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=b"success", headers={"Content-Type": "text/plain; charset=utf-8"})


def main() -> None:
    """Serve on the given port of the loopback address until ended."""
    app = web.Application()
    app.router.add_post("/{tail:.*}", _answer)
    app.router.add_get("/healthz", _answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
