"""A sandbox that runs, and what tests do in it."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field

START_SECONDS = 60
STOP_SECONDS = 30
CALL_SECONDS = 120


class SandboxError(Exception):
    """The sandbox cannot be started, or refused a call."""


@dataclass(frozen=True)
class Written:
    """A message of a customer."""

    chat_id: int
    message_id: int


class Sandbox:
    """A marketplace to try connectors against."""

    def __init__(self, process, told):
        self._process = process
        self.url = told["url"]
        self.operator_token = told["operatorToken"]

    @classmethod
    def start(cls, options=()):
        """Starts the binary that PRILAVOK_BIN names, or the one on the PATH."""
        binary = os.environ.get("PRILAVOK_BIN") or shutil.which("prilavok")
        if binary is None:
            raise SandboxError("there is no prilavok on the PATH, and PRILAVOK_BIN names none")
        command = [binary, "sandbox", "--port", "0", "--json", *options]
        with tempfile.TemporaryFile() as log:
            try:
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
            except OSError as error:
                raise SandboxError(f"{binary} cannot be started: {error}") from error
            too_late = threading.Timer(START_SECONDS, process.kill)
            too_late.start()
            line = process.stdout.readline()
            too_late.cancel()
            if not line:
                code = process.wait()
                process.stdout.close()
                log.seek(0)
                said = log.read().decode(errors="replace")
                raise SandboxError(f"{' '.join(command)} ended with {code}:\n{said}")
        return cls(process, json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def advance(self, by, pause=None):
        """Moves the clock: "2s", "10m", "36h". Returns what happened on the way, in order."""
        change = {"advance": by}
        if pause is not None:
            change["pause"] = pause
        return self.call("POST", "/sandbox/v1/clock", change)["happened"]

    def fault(self, do, **rule):
        """Lets calls or notifications go wrong; returns the rule's id."""
        return self.call("POST", "/sandbox/v1/faults", {**rule, "do": do})["id"]

    def clear_faults(self):
        """Takes all faults back."""
        self.call("DELETE", "/sandbox/v1/faults")

    def business(self, **asked):
        """A new business; `name` and `placement` may be given."""
        given = self.call("POST", "/sandbox/v1/businesses", asked)
        return Business(
            sandbox=self,
            id=given["businessId"],
            campaign_id=given["campaignId"],
            api_key=given["apiKey"],
            read_only_api_key=given["readOnlyApiKey"],
            order_ids=given["orderIds"],
            test_order_id=given["testOrderId"],
            return_id=given["returnId"],
            customer_ids=given["customerIds"],
        )

    def operator(self, method, path, body=None):
        """Calls the Operator API, as the marketplace's backend does."""
        return self.call(method, path, body, {"Authorization": f"Bearer {self.operator_token}"})

    def call(self, method, path, body=None, headers=None):
        """Sends JSON and returns JSON; None where the answer is empty."""
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode(errors="replace")
            raise SandboxError(f"{method} {path}: {error.code} {said}") from error
        return json.loads(text) if text else None


@dataclass
class Business:
    """A seller, its keys and what its chats can be about."""

    sandbox: Sandbox
    id: int
    campaign_id: int
    api_key: str
    read_only_api_key: str
    order_ids: "list[int]"
    test_order_id: int
    return_id: int
    customer_ids: "list[str]"
    _faults: "list[int]" = field(default_factory=list, repr=False)

    def customer_writes(self, text, *, order_id=None, chat_id=None):
        """Writes as the customer: into a chat, or into that of an order, which is started where there is none."""
        if chat_id is None:
            context = {"type": "ORDER", "id": order_id or self.order_ids[0]}
            chat_id = self._operator("POST", "/chats", {"context": context})["chatId"]
        body = {"sender": "CUSTOMER", "message": text}
        message = self._operator("POST", f"/chats/{chat_id}/messages", body)
        return Written(chat_id=chat_id, message_id=message["messageId"])

    def messages(self, chat_id):
        """The messages of a chat, oldest first."""
        found, query = [], "?limit=1000"
        while True:
            page = self._operator("GET", f"/chats/{chat_id}/messages{query}")
            found += page["items"]
            if "nextCursor" not in page:
                return found
            query = f"?limit=1000&cursor={page['nextCursor']}"

    def notify(self, url):
        """Tells a receiver what happens in the chats; it must answer the PING. Returns the signing secret."""
        body = {"name": f"test {url}"[:100], "url": url}
        return self._operator("POST", "/subscriptions", body)["secret"]

    def fault(self, do, **rule):
        """Lets calls or notifications of this business go wrong; returns the rule's id."""
        number = self.sandbox.fault(do, businessId=self.id, **rule)
        self._faults.append(number)
        return number

    def clear_faults(self):
        """Takes the faults of this business back."""
        known = {it["id"] for it in self.sandbox.call("GET", "/sandbox/v1/faults")["faults"]}
        for number in self._faults:
            if number in known:
                self.sandbox.call("DELETE", f"/sandbox/v1/faults/{number}")
        self._faults.clear()

    def _operator(self, method, path, body=None):
        return self.sandbox.operator(method, f"/operator/v1/businesses/{self.id}{path}", body)
