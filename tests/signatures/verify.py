"""Receives notifications of a real server and verifies them with the public `standardwebhooks` package."""

import http.server
import json
import queue
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PATIENCE = 20
ANSWER = json.dumps({"version": "1.0.0", "name": "verifier", "time": "2025-01-16T10:09:49.759084017Z"}).encode()
received = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received.put((dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


class Server:
    """The binary with demo data, until the end of the block."""

    def __init__(self, binary):
        self.folder = tempfile.TemporaryDirectory()
        arguments = ["serve", "--demo", "--allow-private-webhooks", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [binary, *arguments, "--data", self.folder.name],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        printed = ""
        for line in self.process.stdout:
            printed += line
            if "API reference" in line:
                break
        self.token = re.search(r"pop_\w+", printed).group()
        self.address = re.search(r"http://127\.0\.0\.1:\d+", printed).group()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def post(self, path, body=None):
        request = urllib.request.Request(
            f"{self.address}/operator/v1/businesses/1{path}",
            data=None if body is None else json.dumps(body).encode(),
            method="POST",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


def verifies(secret, notification):
    """Whether the public verifier takes it. The headers' names are looked up without regard to case."""
    headers, body = notification
    try:
        Webhook(secret).verify(body.decode(), {name.lower(): value for name, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


def main(binary):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{receiver.server_port}/"
    checked = 0

    def check(told, expected, secret, notification):
        nonlocal checked
        found = verifies(secret, notification)
        assert found == expected, f"{told}: {found} instead of {expected}"
        checked += 1

    with Server(binary) as server:
        created = server.post("/subscriptions", {"name": "verifier", "url": url, "enabled": False})
        first, path = created["secret"], f"/subscriptions/{created['subscriptionId']}"
        server.post(f"{path}/enable")
        ping = received.get(timeout=PATIENCE)
        assert json.loads(ping[1])["notificationType"] == "PING"
        check("the PING", True, first, ping)

        def message():
            server.post("/chats/1/messages", {"sender": "CUSTOMER", "message": "Где мой заказ? 你好"})
            return received.get(timeout=PATIENCE)

        notification = message()
        assert json.loads(notification[1])["notificationType"] == "CHAT_MESSAGE_SENT"
        check("a message", True, first, notification)

        headers, body = notification
        check("a body that was tampered with", False, first, (headers, body.replace(b"1", b"2", 1)))
        check("another id", False, first, ({**headers, "webhook-id": "evt_1"}, body))
        check("an old time", False, first, ({**headers, "webhook-timestamp": "1614265330"}, body))
        other = server.post("/subscriptions", {"name": "other", "url": url, "enabled": False})["secret"]
        check("another subscription's secret", False, other, notification)

        second = server.post(f"{path}/rotate-secret", {"previousValidSeconds": 3600})["secret"]
        assert second != first
        rotated = message()
        check("the new secret", True, second, rotated)
        check("the old secret, still good", True, first, rotated)
        third = server.post(f"{path}/rotate-secret", {"previousValidSeconds": 0})["secret"]
        rotated = message()
        check("the newest secret", True, third, rotated)
        check("a secret that is over", False, second, rotated)
    receiver.shutdown()
    print(f"signatures: {checked} checks with the public verifier agree")


main(sys.argv[1])
