"""The least that can be between a provider and a page: it passes each token on, renders nothing and stores nothing.

What the product is measured against. A process of its own, which says its port and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from aiohttp import web

from tests.bench.processes import until_input_ends


async def main(upstream: str) -> None:
    """Answer each message on a socket by the tokens of `upstream`, and an empty binary message at the end."""
    client = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )

    async def relay(request: web.Request) -> web.WebSocketResponse:
        page = web.WebSocketResponse(compress=False)
        await page.prepare(request)
        async for message in page:
            body = {"stream": True, "messages": [{"role": "user", "content": message.data}]}
            async with client.post(f"{upstream}/v1/chat/completions", json=body) as reply:
                async for line in reply.content:
                    if line.startswith(b"data: {"):
                        await page.send_str(json.loads(line[6:])["choices"][0]["delta"]["content"])
            await page.send_bytes(b"")
        return page

    app = web.Application()
    app.router.add_get("/", relay)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)  # noqa: T201
    await until_input_ends(sys.stdin)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
