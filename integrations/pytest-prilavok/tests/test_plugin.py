import json
import urllib.error
import urllib.request

import pytest
from pytest_prilavok import SandboxError

seen = []


def connector(business, path, body=None):
    """A call as a seller's system makes it: status and answer."""
    request = urllib.request.Request(f"{business.sandbox.url}/v2/businesses/{business.id}{path}")
    request.add_header("Api-Key", business.api_key)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("turn", [1, 2])
def test_one_sandbox_has_a_business_for_each_test(prilavok, prilavok_business, turn):
    seen.append((prilavok.url, prilavok_business.id))
    assert len({url for url, _ in seen}) == 1
    assert len({business for _, business in seen}) == turn


def test_a_customer_writes_and_the_connector_answers(prilavok_business):
    question = prilavok_business.customer_writes("Где мой заказ?")
    path = f"/chats/history?chatId={question.chat_id}"
    history = connector(prilavok_business, path, {})[1]["result"]["messages"]
    assert [it["messageId"] for it in history] == [question.message_id]
    answer = {"message": "В пути."}
    assert connector(prilavok_business, f"/chats/message?chatId={question.chat_id}", answer)[0] == 200
    again = prilavok_business.customer_writes("Спасибо!", chat_id=question.chat_id)
    assert again.chat_id == question.chat_id
    other = prilavok_business.customer_writes("А этот?", order_id=prilavok_business.order_ids[1])
    assert other.chat_id != question.chat_id
    said = [(it["sender"], it["message"]) for it in prilavok_business.messages(question.chat_id)]
    assert said == [("CUSTOMER", "Где мой заказ?"), ("PARTNER", "В пути."), ("CUSTOMER", "Спасибо!")]


def test_a_fault_is_for_one_business_and_ends_with_the_test(prilavok, prilavok_business):
    other = prilavok.business(placement="EXPRESS")
    prilavok_business.fault({"error": "hourlyLimit"}, operation="getChats")
    assert connector(prilavok_business, "/chats", {})[0] == 420
    assert connector(other, "/chats", {})[0] == 200
    prilavok_business.clear_faults()
    assert connector(prilavok_business, "/chats", {})[0] == 200
    prilavok.fault({"error": "unavailable"}, operation="getChats", times=2)
    assert connector(prilavok_business, "/chats", {})[0] == 503
    assert connector(other, "/chats", {})[0] == 503
    prilavok.clear_faults()


def test_a_notification_that_was_refused_comes_again_when_time_has_passed(prilavok, prilavok_business, receiver):
    assert prilavok_business.notify(receiver.url).startswith("whsec_")
    receiver.refusals = 1
    written = prilavok_business.customer_writes("Здравствуйте")
    happened = prilavok.advance("2m", pause="1ms")
    accepted = [it for it, accepted in receiver.received if accepted and it.get("messageId") == written.message_id]
    assert len(accepted) == 1
    mine = [it["outcome"] for it in happened if it["kind"] == "delivery" and it["businessId"] == prilavok_business.id]
    assert mine.count("DELIVERED") >= 1


def test_a_refusal_says_what_was_wrong(prilavok):
    with pytest.raises(SandboxError, match="400 .*soon.* is not a length of time"):
        prilavok.advance("soon")


def test_the_sandbox_ends_with_the_session_and_takes_options(pytester):
    pytester.makeini("[pytest]\nprilavok_options = --speed 0\n")
    pytester.makepyfile(
        """
        def test_still(prilavok):
            print("URL", prilavok.url)
            assert prilavok.call("GET", "/sandbox/v1/clock")["speed"] == 0
        """
    )
    result = pytester.runpytest_subprocess("-s")
    result.assert_outcomes(passed=1)
    url = next(line.split()[-1] for line in result.outlines if "URL" in line)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url + "/healthz", timeout=30)


def test_a_sandbox_that_does_not_start_is_explained(pytester, monkeypatch):
    pytester.makepyfile("def test_it(prilavok_business): pass")
    monkeypatch.setenv("PRILAVOK_BIN", "/nowhere/prilavok")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*/nowhere/prilavok cannot be started*"])
    monkeypatch.delenv("PRILAVOK_BIN")
    monkeypatch.setenv("PATH", "")
    pytester.runpytest_subprocess().stdout.fnmatch_lines(["*no prilavok on the PATH*"])
