"""Replaces API Gateway: makes an event of each request, calls the function of its route, and serves the example."""

import base64
import errno
import json
import re
import socket
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from machine import Missing, ROOT
from runtime import Busy, FunctionError

# The backlog of the sockets: enough for the start of a load test.
BACKLOG = 1024
LARGEST_BODY = 10_000_000
# A body of any other type is base64 in the event.
TEXT = re.compile(r"text/|application/(\w+[+])?(json|xml|javascript)")


def in_template():
    """Returns the timeout in seconds and the routes of each function of template.yaml."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    default = re.search(r"(?ms)^Globals:.*?^    Timeout: (\d+)", text)[1]
    found = {}
    for resource in re.findall(r"(?ms)^    Type: AWS::Serverless::Function\n.*?(?=^  \w|\Z)", text):
        timeout = re.search(r"(?m)^      Timeout: (\d+)", resource)
        paths = [re.search(r"Path: '(.+?)'", event) for event in re.findall(r"Type: HttpApi,.*", resource)]
        found[re.search(r"{Binary: (\w+)}", resource)[1]] = (
            int(timeout[1] if timeout else default), [path[1] if path else "$default" for path in paths])
    return found


class Gateway:
    """Listens on a port of localhost. `functions` is Lambda; `routes` has the function of each route."""

    def __init__(self, port, functions, routes, example):
        self.port, self.functions, self.routes, self.example = port, functions, routes, example
        self.servers = [Server(self, each) for each in loopback_sockets(port)]

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def route(self, path):
        """The full path counts first, then the longest prefix."""
        if path in self.routes:
            return path
        greedy = [route for route in self.routes if route.endswith("/{proxy+}") and path.startswith(route[:-8])]
        return max(greedy, key=len, default="$default")


class Server(ThreadingHTTPServer):
    def __init__(self, gateway, listening):
        super().__init__(listening.getsockname()[:2], Request, bind_and_activate=False)
        self.socket.close()
        self.socket, self.gateway = listening, gateway
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A caller that does not wait for its answer is no error."""


class Request(BaseHTTPRequestHandler):
    """One request after another, of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        gateway = self.server.gateway
        if page := gateway.example.answer(self.raw_requestline):
            return self.wfile.write(page)
        body = self.body()
        if body is None:
            self.close_connection = True
            return self.say(413, "Request Entity Too Large")
        path, _, query = self.path.partition("?")
        route = gateway.route(urllib.parse.unquote(path))
        event = self.event(route, urllib.parse.unquote(path), query, body)
        try:
            answer = json.loads(gateway.functions.invoke(gateway.routes[route], json.dumps(event).encode()))
            content = answer["body"] or ""
            content = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
        except Busy:
            self.say(503, "Service Unavailable")
        except (FunctionError, ValueError, KeyError):
            self.say(500, "Internal Server Error")
        else:
            cookies = [("set-cookie", cookie) for cookie in answer.get("cookies", [])]
            self.send(answer["statusCode"], [*answer["headers"].items(), *cookies], content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def event(self, route, path, query, body):
        """The event of the payload format 2.0."""
        headers = {name.lower(): ",".join(self.headers.get_all(name)) for name in self.headers.keys()}
        cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
        key = "$default" if route == "$default" else f"ANY {route}"
        now = time.time()
        is_text = bool(TEXT.match(headers.get("content-type", "text/plain").lower())) and is_utf8(body)
        return {
            "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": query, "cookies": cookies,
            "headers": {**headers, "x-forwarded-for": self.client_address[0], "x-forwarded-port": str(self.server.gateway.port),
                        "x-forwarded-proto": "http"},
            "requestContext": {
                "accountId": "000000000000", "apiId": "local", "domainName": "localhost", "domainPrefix": "localhost",
                "requestId": str(uuid.uuid4()), "routeKey": key, "stage": "$default",
                "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)), "timeEpoch": int(now * 1000),
                "http": {"method": self.command, "path": path, "protocol": self.request_version,
                         "sourceIp": self.client_address[0], "userAgent": headers.get("user-agent", "")},
            },
            "body": (body.decode() if is_text else base64.b64encode(body).decode()) or None,
            "isBase64Encoded": not is_text,
        }

    def body(self):
        """Reads the body; None if it is too large."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(length) if length <= LARGEST_BODY else None

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if len(body) + size > LARGEST_BODY:
                return None
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def say(self, status, message):
        self.send(status, [("content-type", "application/json")], json.dumps({"message": message}).encode())

    def send(self, status, headers, content):
        self.send_response_only(status)
        for name, value in headers:
            if name != "content-length":
                self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)

    def log_message(self, *_):
        """The functions log requests."""


def is_utf8(content):
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def loopback_sockets(port, variable=None):
    """Listens on both addresses of localhost. `variable` is the environment variable, if any, that changes the port."""
    choice = f", or choose another with {variable}=" if variable else ""
    taken = Missing(f"Port {port} of localhost is taken: end what listens there (see `ss -ltnp`){choice}.")
    try:
        sockets = [socket.create_server(("127.0.0.1", port), backlog=BACKLOG)]
    except OSError:
        raise taken from None
    # Some clients try only the IPv6 address of localhost; some machines have none.
    try:
        sockets.append(socket.create_server(("::1", port), family=socket.AF_INET6, backlog=BACKLOG))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sockets[0].close()
            raise taken from None
    return sockets
