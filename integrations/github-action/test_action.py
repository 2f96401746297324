"""The action as a runner reads it, and its step as a runner runs it."""

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parent
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text())
[STEP] = ACTION["runs"]["steps"]
SECRETS = ["api-key", "read-only-api-key", "other-api-key", "operator-token"]


def run_step(folder, **inputs):
    """Runs the step with inputs put in, as a runner does; answers how it ended and its outputs."""
    given = {name: one["default"] for name, one in ACTION["inputs"].items()} | inputs
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda it: given[it[1]], value)
        for name, value in STEP["env"].items()
    }
    output = folder / "output"
    output.touch()
    environment |= {
        "GITHUB_ACTION_PATH": str(FOLDER),
        "GITHUB_OUTPUT": str(output),
        "RUNNER_TEMP": str(folder),
    }
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", STEP["run"]],
        env=os.environ | environment, capture_output=True, text=True, timeout=120,
    )
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())


def test_it_is_a_composite_action_whose_outputs_are_those_of_its_step():
    assert {"name", "description", "inputs", "outputs", "runs"} == set(ACTION)
    assert ACTION["runs"]["using"] == "composite"
    assert STEP["shell"] == "bash"
    assert "start.sh" in STEP["run"]
    assert all(one["description"] and "default" in one for one in ACTION["inputs"].values())
    for name, output in ACTION["outputs"].items():
        assert output["description"]
        assert output["value"] == "${{ steps." + STEP["id"] + ".outputs." + name + " }}"


def test_the_step_starts_a_sandbox_and_hides_its_keys(tmp_path):
    done, outputs = run_step(tmp_path, binary=os.environ["PRILAVOK_BIN"], options="--speed 0 --scenario happy-path")
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        assert set(outputs) == set(ACTION["outputs"])
        path = f"/v2/businesses/{outputs['business-id']}/chat?chatId=1"
        for name in ["api-key", "read-only-api-key"]:
            request = urllib.request.Request(outputs["url"] + path, headers={"Api-Key": outputs[name]})
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert json.load(answer)["result"]["chatId"] == 1
        lines = done.stdout.splitlines()
        for name in SECRETS:
            assert [line for line in lines if outputs[name] in line] == [f"::add-mask::{outputs[name]}"]
        assert not any(outputs[name] in done.stderr for name in SECRETS)
    finally:
        os.kill(int(outputs["pid"]), signal.SIGTERM)


def test_a_sandbox_that_does_not_start_fails_the_step_and_says_why(tmp_path):
    done, outputs = run_step(tmp_path, binary=os.environ["PRILAVOK_BIN"], options="--scenario nobody")
    assert done.returncode == 1
    assert "nobody" in done.stdout and "::error::the sandbox did not start" in done.stdout
    assert outputs == {}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_its_script_is_sound():
    subprocess.run(["shellcheck", FOLDER / "start.sh"], check=True)
