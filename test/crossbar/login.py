"""Logs in with autobahn for Python: one request for each line of JSON on standard input, one answer on standard output.

A request has `url`, `realm`, `serializer`, `authenticators` (the keyword arguments of each of autobahn's own, by name), or
`join` (the arguments of a plain HELLO), `headers`, and `tls`: `ca`, `version`, `cert` and `key`. The answer has what
autobahn made of it: `welcome`, `sum`, `published` and `denied`, or `abort`, or `failed`.
"""

import asyncio
import json
import ssl
import sys
import tempfile
from urllib.parse import urlparse

import txaio

txaio.use_asyncio()

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory  # noqa: E402
from autobahn.asyncio.wamp import Session  # noqa: E402
from autobahn.asyncio.websocket import WampWebSocketClientFactory  # noqa: E402
from autobahn.wamp.auth import create_authenticator  # noqa: E402
from autobahn.wamp.exception import ApplicationError  # noqa: E402
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer  # noqa: E402
from autobahn.wamp.types import ComponentConfig, PublishOptions  # noqa: E402

SERIALIZERS = {"json": JsonSerializer, "cbor": CBORSerializer, "msgpack": MsgPackSerializer}
SECONDS = 20


class Client(Session):
    def __init__(self, request, outcome):
        super().__init__(ComponentConfig(request["realm"]))
        self.request = request
        self.outcome = outcome
        self.errors = []
        for name, arguments in request.get("authenticators", {}).items():
            self.add_authenticator(create_authenticator(name, **arguments))

    def settle(self, answer):
        if not self.outcome.done():
            self.outcome.set_result(answer)

    def on_connect(self):
        self.join(self.config.realm, **self.request.get("join", {}))

    def onUserError(self, failure, message):
        self.errors.append(str(failure.value))

    async def on_join(self, details):
        answer = {
            "welcome": {
                "authid": details.authid,
                "authrole": details.authrole,
                "authmethod": details.authmethod,
                "authprovider": details.authprovider,
            }
        }
        try:
            answer["sum"] = await self.call("com.sum", 2, 3)
            await self.publish("com.news.today", self.request["serializer"], options=PublishOptions(acknowledge=True))
            try:
                await self.call("com.other")
            except ApplicationError as error:
                answer["denied"] = error.error
        except Exception as error:
            answer["failed"] = [repr(error)]
        self.settle(answer)
        self.leave()

    def on_leave(self, details):
        self.settle({"abort": [details.reason, details.message], "failed": self.errors})
        self.disconnect()

    def on_disconnect(self):
        self.settle({"abort": ["disconnected", None], "failed": self.errors})


def tls_context(tls):
    context = ssl.create_default_context(cadata=tls["ca"])
    if tls.get("version") == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if "cert" in tls:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(tls["key"] + "\n" + tls["cert"])
            file.flush()
            context.load_cert_chain(file.name)
    return context


async def attempt(request):
    loop = asyncio.get_running_loop()
    outcome = loop.create_future()
    serializer = SERIALIZERS[request["serializer"]]()
    url = urlparse(request["url"])
    if url.scheme in ("ws", "wss"):
        factory = WampWebSocketClientFactory(
            lambda: Client(request, outcome),
            url=request["url"],
            serializers=[serializer],
            headers=request.get("headers"),
            loop=loop,
        )
    else:
        factory = WampRawSocketClientFactory(lambda: Client(request, outcome), serializer=serializer)
    context = tls_context(request["tls"]) if "tls" in request else None
    transport, _ = await loop.create_connection(factory, url.hostname, url.port, ssl=context)
    try:
        return await asyncio.wait_for(outcome, SECONDS)
    finally:
        transport.close()


async def main():
    txaio.start_logging(level="critical", out=sys.stderr)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = await attempt(json.loads(line))
        except Exception as error:
            answer = {"failed": [repr(error)]}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
