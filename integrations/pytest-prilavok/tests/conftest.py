import http.server
import json
import threading

import pytest


class Receiver(http.server.BaseHTTPRequestHandler):
    """Accepts notifications, but refuses as many as `refusals` says once the PING was answered."""

    received = []
    refusals = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = body["notificationType"] != "PING" and type(self).refusals > 0
        type(self).refusals -= refused
        self.received.append((body, not refused))
        answer = json.dumps({"version": "1.0.0", "name": "test", "time": "2025-01-16T10:09:49Z"}).encode()
        self.send_response(500 if refused else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    kind = type("Receiver", (Receiver,), {"received": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kind.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield kind
        server.shutdown()
