"""Runs the examples of the pages in docs/ against sandboxes, and sends each request of the collections in openapi/."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE = 120
DOCS = Path("docs")
OPENAPI = Path("openapi")
# A page's calls must succeed, unless they say --no-fail.
SHELL = 'set -euo pipefail; curl() { command curl -sS --fail "$@" && echo; }\n'


class Client:
    """A page's language: its code block, what is run before the connector, and the connector."""

    def __init__(self, fence, file, serve, before=(), probe=("--version",)):
        self.fence, self.file, self.serve, self.before, self.probe = fence, file, serve, before, probe

    def command(self):
        return (self.before or self.serve)[0]

    def usable(self):
        if shutil.which(self.command()) is None:
            return False
        # Some that are installed are too old.
        return subprocess.run([self.command(), *self.probe], capture_output=True).returncode == 0


CLIENTS = {
    "python": Client("python", "connector.py", ["python3", "connector.py"]),
    "node": Client("js", "connector.mjs", ["node", "connector.mjs"], probe=("-e", "fetch")),
    "php": Client("php", "connector.php", ["php", "-S", "127.0.0.1:{port}", "connector.php"], ["php", "connector.php"]),
    "rust": Client("rust", "connector.rs", ["./connector"], ["cargo", "--version"]),
    "go": Client("go", "connector.go", ["./connector"], ["go", "build", "connector.go"], probe=("version",)),
}
# The page shows this example but for its first line, and Cargo builds it where its dependencies are.
RUST_EXAMPLE = Path("crates/client/examples/connector.rs")
NEEDED = ["bash", "curl", "python3"]


class Sandbox:
    """A sandbox whose clock stands still, until the end of the block."""

    def __init__(self, binary):
        arguments = ["sandbox", "--port", "0", "--json", "--speed", "0"]
        self.process = subprocess.Popen(
            [binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.told = json.loads(self.process.stdout.readline())
        self.url = self.told["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None):
        """A call of the Operator API or of the sandbox's own."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.told['operatorToken']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


class Shop:
    """A business with two customers who wait."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.given = sandbox.call("POST", "/sandbox/v1/businesses", {})
        self.path = f"/operator/v1/businesses/{self.given['businessId']}"
        self.chats = []
        for order in self.given["orderIds"][:2]:
            started = sandbox.call("POST", f"{self.path}/chats", {"context": {"type": "ORDER", "id": order}})
            self.chats.append(started["chatId"])
            self.customer_writes(started["chatId"])

    def environment(self):
        names = {"URL": self.sandbox.url, "BUSINESS": str(self.given["businessId"]), "KEY": self.given["apiKey"]}
        return {f"MARKET_{name}": value for name, value in names.items()}

    def customer_writes(self, chat):
        body = {"sender": "CUSTOMER", "message": "Где мой заказ?"}
        self.sandbox.call("POST", f"{self.path}/chats/{chat}/messages", body)

    def senders(self, chat):
        return [it["sender"] for it in self.sandbox.call("GET", f"{self.path}/chats/{chat}/messages")["items"]]

    def subscribe(self, port):
        """Tells a connector on this port; on a busy machine it may miss the second that it has for the PING."""
        body = {"name": "example", "url": f"http://127.0.0.1:{port}/"}
        if not awaited(lambda: refused_or(lambda: self.sandbox.call("POST", f"{self.path}/subscriptions", body))):
            sys.exit(f"the connector on port {port} does not answer the PING")


def refused_or(call):
    try:
        return call()
    except urllib.error.HTTPError as error:
        error.close()
        return None


def awaited(condition):
    """Waits until something is so; answers whether it came to be."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def blocks(page, language):
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def run(command, folder, environment):
    """What a command printed; its failure ends the run."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, timeout=PATIENCE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}")
    return done.stdout


def expect(page, said, wanted):
    for one in wanted:
        if one not in said:
            sys.exit(f"{page}: no {one} in\n{said}")


def run_sandbox_page(binary):
    page = DOCS / "sandbox.md"
    script = SHELL + "".join(blocks(page, "sh"))
    with Sandbox(binary) as sandbox, tempfile.TemporaryDirectory() as folder:
        told = sandbox.told
        names = {"url": told["url"], "key": told["apiKey"], "token": told["operatorToken"]}
        said = run(["bash", "-c", script], folder, names)
    expect(page, said, ["attempt 1: no answer", '"seen":2,"acted":1', '"snapshots":["before","start"]', '"finished":'])
    print(f"{page}: its calls work")


def run_curl_page(sandbox):
    page = DOCS / "clients/curl.md"
    shop = Shop(sandbox)
    script = "set -euo pipefail\n" + "".join(blocks(page, "sh"))
    with tempfile.TemporaryDirectory() as folder:
        said = run(["bash", "-c", script], folder, shop.environment())
    expect(page, said, ["event: CHAT_MESSAGE_SENT"])
    senders = [shop.senders(chat) for chat in shop.chats]
    if ["CUSTOMER", "PARTNER", "PARTNER"] not in senders:
        sys.exit(f"{page}: it answered once and sent a file, but the chats have {senders}")
    print(f"{page}: it works")


def run_connector_page(name, client, sandbox):
    """The connector answers who waits before it listens, and who writes while it does."""
    page = DOCS / f"clients/{name}.md"
    shop = Shop(sandbox)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**shop.environment(), "HOOK_PORT": str(port)}
    if name == "go":
        environment["GOCACHE"] = str(Path("target/go-cache").resolve())
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        [code] = blocks(page, client.fence)
        Path(folder, client.file).write_text(code)
        if name == "rust":
            build_rust_example(page, code, folder)
        if client.before:
            run(client.before, folder, environment)
        serve = [part.format(port=port) for part in client.serve]
        process = subprocess.Popen(
            serve, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )

        def require(condition, what):
            if not awaited(lambda: condition() or process.poll() is not None) or not condition():
                log.seek(0)
                sys.exit(f"{page}: {what}\n{log.read()}")

        try:
            require(lambda: listens(port), "the connector does not listen")
            senders = [shop.senders(chat) for chat in shop.chats]
            require(lambda: senders == [["CUSTOMER", "PARTNER"]] * 2, f"those who waited: {senders}")
            shop.subscribe(port)
            shop.customer_writes(shop.chats[0])
            both = ["CUSTOMER", "PARTNER"] * 2
            require(lambda: shop.senders(shop.chats[0]) == both, "who wrote again was not answered")
        finally:
            process.terminate()
            process.wait()
    print(f"{page}: it works")


def build_rust_example(page, code, folder):
    if RUST_EXAMPLE.read_text().split("\n", 2)[2] != code:
        sys.exit(f"{page} and {RUST_EXAMPLE} differ")
    run(["cargo", "build", "--quiet", "--locked", "--package", "prilavok-client", "--example", "connector"], ".", {})
    shutil.copy("target/debug/examples/connector", folder)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def filled(text, values):
    return re.sub(r"\{\{(\w+)\}\}", lambda it: values[it[1]], text)


def of_postman():
    """The requests of the collection: name, method, address, headers, body."""
    collection = json.loads((OPENAPI / "partner.postman_collection.json").read_text())
    for item in (item for folder in collection["item"] for item in folder["item"]):
        request = item["request"]
        headers = {it["key"]: it["value"] for it in request["header"] if not it.get("disabled")}
        headers["Api-Key"] = "{{apiKey}}"
        # Postman builds forms by itself; that request is sent from the .http file.
        if request.get("body", {}).get("mode") != "formdata":
            body = request.get("body", {}).get("raw")
            yield item["name"], request["method"], request["url"]["raw"], headers, body


def of_http_file():
    """The requests of the .http file likewise."""
    for part in (OPENAPI / "partner.http").read_text().split("### ")[1:]:
        head, _, body = part.strip().partition("\n\n")
        name, *lines = [line for line in head.splitlines() if not line.startswith("#")]
        method, url = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        if "multipart" in headers.get("Content-Type", ""):
            body = body.replace("\n", "\r\n")
        yield name, method, url, headers, body or None


def send_collections(sandbox):
    """Each request is answered with 200 by a sandbox, with the values that the files give and a key."""
    lines = (OPENAPI / "partner.http").read_text().splitlines()
    values = dict(line[1:].split(" =", 1) for line in lines if line.startswith("@"))
    values = {name: value.strip() for name, value in values.items()}
    values |= {"baseUrl": sandbox.url, "apiKey": sandbox.told["apiKey"]}
    count = 0
    for name, method, url, headers, body in [*of_postman(), *of_http_file()]:
        headers = {key: filled(value, values) for key, value in headers.items()}
        data = None if body is None else body.encode()
        request = urllib.request.Request(filled(url, values), data=data, headers=headers, method=method)
        try:
            # A stream does not end: its head is enough.
            urllib.request.urlopen(request, timeout=PATIENCE).close()
        except urllib.error.HTTPError as error:
            sys.exit(f"{name}: {error.code} {error.read().decode()}")
        count += 1
    print(f"{OPENAPI}: {count} requests work")


def main():
    binary = str(Path(sys.argv[1]).resolve())
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}")
    run_sandbox_page(binary)
    skipped = []
    with Sandbox(binary) as sandbox:
        send_collections(sandbox)
        run_curl_page(sandbox)
        for name, client in CLIENTS.items():
            if client.usable():
                run_connector_page(name, client, sandbox)
            else:
                skipped.append(name)
    if skipped:
        print(f"left out, because they are not installed: {', '.join(skipped)}")


main()
