"""What is deployed, against the tools that read it and a real server behind it."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import tomllib
from pathlib import Path

import compose_spec
import jsonschema
import pytest
import yaml

HERE = Path(__file__).parent
BINARY = os.environ["PRILAVOK_BIN"]
# Longer than anything here takes on a busy machine.
PATIENCE = 30

# As much of Grafana's form as makes a dashboard show something.
DASHBOARD = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "time", "templating", "panels"],
    "properties": {
        "uid": {"type": "string", "maxLength": 40},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["id", "type", "title", "datasource", "gridPos", "targets"],
                "properties": {
                    "type": {"enum": ["timeseries", "stat"]},
                    "gridPos": {
                        "type": "object",
                        "required": ["x", "y", "w", "h"],
                        "properties": {"x": {"maximum": 23}, "w": {"minimum": 1, "maximum": 24}},
                    },
                    "targets": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["refId", "expr", "legendFormat"],
                            "properties": {"expr": {"type": "string", "minLength": 1}},
                        },
                    },
                },
            },
        },
    },
}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port):
    began = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() - began < PATIENCE, f"nothing listens on {port}"
            time.sleep(0.05)


class Server:
    """A server with demo data, set up as in prilavok.toml but for what differs between machines."""

    def __init__(self, folder):
        self.port = free_port()
        variables = {
            "PRILAVOK_LISTEN": f"127.0.0.1:{self.port}",
            "PRILAVOK_DATA": str(folder / "data"),
            "PRILAVOK_LIMITS__PARALLEL": "1",
        }
        self.process = subprocess.Popen(
            [BINARY, "serve", "--demo", "--config", HERE / "prilavok.toml"],
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        told = ""
        while "API reference:" not in told:
            line = self.process.stdout.readline()
            assert line, told
            told += line
        self.key = re.search(r"Api-Key of business 1 +(\S+)", told)[1]

    def ask(self, method, path, body=None, **headers):
        return ask(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE), method, path, body, headers)

    def metrics(self):
        status, text, _ = self.ask("GET", "/metrics")
        assert status == 200
        return text


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0


# systemd


def test_the_unit_is_right_and_tight(tmp_path):
    text = (HERE / "prilavok.service").read_text()
    unit = tmp_path / "prilavok.service"
    unit.write_text(text.replace("/usr/local/bin/prilavok", BINARY))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    # Of 10, where 10 is a service that may do anything: in tenths.
    tight = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit]
    analysed = subprocess.run(tight, capture_output=True, text=True)
    assert analysed.returncode == 0, analysed.stdout


# Settings


def settings():
    """The names of all settings, as prilavok config prints them."""
    printed = subprocess.run([BINARY, "config"], capture_output=True, text=True, check=True).stdout

    def names(table, before=""):
        for name, value in table.items():
            yield before + name
            if isinstance(value, dict):
                yield from names(value, f"{before}{name}.")

    return set(names(tomllib.loads(printed)))


def variables_in(text):
    return set(re.findall(r"\bPRILAVOK_[A-Z_]+\b", text))


def test_variables_are_settings():
    known = settings()
    for file in ["compose.yaml", "Dockerfile", "prilavok.env"]:
        found = variables_in((HERE / file).read_text())
        assert found, file
        for variable in found:
            name = variable.removeprefix("PRILAVOK_").lower().replace("__", ".")
            assert name in known, f"{variable} in {file} is no setting"


# Containers


def test_the_compose_file_is_right():
    text = (HERE / "compose.yaml").read_text()
    compose = compose_spec.PyCompose.from_yaml(text)
    compose.validate()
    assert set(compose.service_names()) == {"server", "postgres", "s3"}
    services = yaml.safe_load(text)["services"]
    for name, service in services.items():
        # Secrets must be given: none is written down, and none has a default.
        for variable, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|ACCESS_KEY", variable):
                assert re.fullmatch(r"\$\{\w+:\?\}", value), f"{name}: {variable}"
        # A Service of that name would be taken for settings in Kubernetes.
        assert name != "prilavok"
    assert services["server"]["environment"]["AWS_REGION"] == tomllib.loads((HERE / "garage.toml").read_text())["s3_api"]["s3_region"]


def test_the_health_check_tells_a_ready_server(server):
    check = ["bash", HERE / "healthcheck.sh"]
    assert subprocess.run([*check, str(server.port)]).returncode == 0
    assert subprocess.run([*check, str(free_port())], stderr=subprocess.DEVNULL).returncode != 0


# nginx


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory):
    """nginx with nginx.conf but for its ports, its certificate, and two names for one server."""
    folder = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=chat.example.com", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True,
        capture_output=True,
    )
    plain, encrypted = free_port(), free_port()
    text = (HERE / "nginx.conf").read_text()
    for given, here in [
        ("listen [::]:", "# listen [::]:"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{encrypted} "),
        ("/etc/letsencrypt/live/chat.example.com", str(folder)),
        ("127.0.0.1:8080", f"127.0.0.1:{server.port}"),
        ("# server 10.0.0.2:8080", f"server localhost:{server.port}"),
    ]:
        assert given in text, given
        text = text.replace(given, here)
    (folder / "prilavok.conf").write_text(text)
    main = folder / "nginx.conf"
    # Its workers write where the tests' own user may.
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(
        f"{user}pid {folder}/pid; error_log {folder}/error.log; daemon off; worker_processes 1;\n"
        "events {}\nhttp {\n    access_log off;\n"
        + "".join(
            f"    {name}_temp_path {folder}/{name};\n"
            for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        )
        + f"    include {folder}/prilavok.conf;\n}}\n"
    )
    command = ["nginx", "-c", main, "-p", folder, "-e", folder / "error.log"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0 and "warn" not in tested.stderr, tested.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(encrypted)
    yield plain, encrypted
    process.terminate()
    process.wait(PATIENCE)


def through(proxy):
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection("127.0.0.1", proxy[1], timeout=PATIENCE, context=context)


def test_calls_go_through_nginx(server, proxy):
    key = {"Api-Key": server.key, "Host": "chat.example.com"}
    path = "/v2/businesses/1/chat?chatId=1"
    directly = server.ask("GET", path, **key)
    status, text, headers = ask(through(proxy), "GET", path, headers=key)
    assert (status, text) == (directly[0], directly[1])
    assert headers["Strict-Transport-Security"]
    assert headers["X-RateLimit-Resource-Limit"]
    # The pages take what comes from their own address, as browsers see it.
    form = {"Host": "chat.example.com", "Content-Type": "application/x-www-form-urlencoded"}
    for origin, expected in [("https://chat.example.com", 303), ("https://evil.example", 403)]:
        status, _, headers = ask(through(proxy), "POST", "/ui/preferences", "theme=dark", form | {"Origin": origin})
        assert status == expected, origin
        if status == 303:
            assert headers["Set-Cookie"].endswith("; Secure")
    status, _, headers = ask(
        http.client.HTTPConnection("127.0.0.1", proxy[0], timeout=PATIENCE), "GET", "/ui/", headers=form
    )
    assert (status, headers["Location"]) == (301, "https://chat.example.com/ui/")


def test_what_is_too_large_is_refused_in_our_words(server, proxy):
    boundary = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
    for size, expected in [(5 << 20, 200), (6 << 20, 400)]:
        headers = {"Api-Key": server.key, "Content-Type": "multipart/form-data; boundary=x"}
        body = boundary.encode() + b"x" * size + b"\r\n--x--\r\n"
        path = "/v2/businesses/1/chats/file/send?chatId=1"
        status, text, _ = ask(through(proxy), "POST", path, body, headers)
        assert status == expected, text
        assert json.loads(text)["status"] == ("OK" if expected == 200 else "ERROR")


def test_events_come_through_nginx_as_they_happen(server, proxy):
    key = {"Api-Key": server.key}
    connection = through(proxy)
    connection.request("GET", "/v2/businesses/1/events", headers=key)
    stream = connection.getresponse()
    assert stream.status == 200
    assert stream.readline().startswith(b"retry:")
    message = {"Content-Type": "application/json"} | key
    status, text, _ = server.ask("POST", "/v2/businesses/1/chats/message?chatId=1", '{"message": "now"}', **message)
    assert status == 200, text
    began = time.monotonic()
    while not stream.readline().startswith(b"event: CHAT_MESSAGE_SENT"):
        assert time.monotonic() - began < 5, "held back"
    connection.close()


def test_what_is_not_for_everybody_is_not_there(proxy):
    for path in ["/metrics", "/healthz", "/readyz"]:
        assert ask(through(proxy), "GET", path)[0] == 404
    # From this machine it may be asked.
    assert ask(through(proxy), "GET", "/operator/v1/businesses")[0] == 401


# Monitoring


def names(expression):
    return set(re.findall(r"\bprilavok_\w+", expression))


def labels(expression):
    """The labels that an expression asks of each measure."""
    for name, inside in re.findall(r"\b(prilavok_\w+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*[=!]~?", inside):
            yield name, label


@pytest.fixture(scope="module")
def measured(server):
    """Each measure that the server tells, with its labels."""
    key = {"Api-Key": server.key}
    server.ask("GET", "/v2/businesses/1/chat?chatId=1", **key)
    server.ask("POST", "/v2/businesses/1/chats/message?chatId=1", '{"message": "x"}', **key)
    began = time.monotonic()
    while True:
        text = server.metrics()
        found = {}
        for name, inside in re.findall(r"^(prilavok_\w+)(?:\{([^}]*)\})? ", text, re.M):
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', inside))
        # Some are told from the first time on that they are looked at.
        if "prilavok_scheduled_lag_seconds" in found:
            return found
        assert time.monotonic() - began < PATIENCE, text
        time.sleep(0.2)


def expressions():
    for group in yaml.safe_load((HERE / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    dashboard = json.loads((HERE / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield variable["query"]


def test_every_measure_that_is_named_is_told(measured):
    # Prometheus adds these.
    own = {"instance", "job", "exported_job"}
    asked = set()
    for expression in expressions():
        asked |= names(expression)
        assert names(expression) <= set(measured), expression
        for name, label in labels(expression):
            assert label in measured[name] | own, f"{label} in {expression}"
    # And what is told is shown.
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in measured}
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in asked}
    assert families <= shown, families - shown


def test_the_dashboard_is_one(tmp_path):
    dashboard = json.loads((HERE / "grafana-dashboard.json").read_text())
    jsonschema.validate(dashboard, DASHBOARD)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    # Whether Prometheus can read them: as rules that record them.
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"shown:{number}", "expr": target["expr"].replace("$__rate_interval", "5m")}
        for number, target in enumerate(targets)
    ]
    file = tmp_path / "shown.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
