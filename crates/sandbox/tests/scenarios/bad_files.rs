//! What is said of files that are wrong: the place, the field and the rule.

use prilavok_sandbox::scenario::Scenario;

const HEAD: &str = "\
title: A test
customers: { anna: Анна }
orders: { boots: { customer: anna }, trial: { customer: anna, test: true } }
returns: { trial-back: { order: trial } }
";

/// What is said of a file that goes on with `rest` after four right lines.
fn said(rest: &str) -> String {
    match Scenario::parse("bad.yaml", &format!("{HEAD}{rest}")) {
        Ok(_) => panic!("it is right: {rest}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_place_the_field_and_the_rule_are_named() {
    for (rest, expected) in [
        (
            "steps: [ wait: soon ]",
            "bad.yaml:5:16: steps[0].wait: `soon` is no length of time, which is written like 2s, 10m or 1h30m",
        ),
        (
            "steps: [ until: 25:00 ]",
            "bad.yaml:5:17: steps[0].until: `25:00` is no time of day, which is written like 09:30 or 09:30+03:00",
        ),
        (
            "steps:\n  - customer: { about: boot, says: А }",
            "bad.yaml:6:24: steps[0].customer.about: no order, return or customer is called `boot`: there are boots, trial, trial-back, anna",
        ),
        (
            "steps:\n  - customer: { about: boots }",
            "bad.yaml:6:5: steps[0].customer: a message has `says`, `sends` or both",
        ),
        (
            "steps: [ customer: { about: trial-back, says: А } ]",
            "bad.yaml:5:29: steps[0].customer.about: A return of a test order cannot have a chat",
        ),
        (
            "steps: [ dispute: { about: anna } ]",
            "bad.yaml:5:28: steps[0].dispute.about: An arbitration is about an ORDER or a RETURN, not about a DIRECT chat",
        ),
        (
            "steps: [ customer: { about: boots, sends: [чек.png] } ]",
            "bad.yaml:5:44: steps[0].customer.sends[0]: `чек.png` is a file, and this scenario comes from none: it can send `picture` only",
        ),
        (
            "steps: [ flood: { chats: 0, says: А } ]",
            "bad.yaml:5:26: steps[0].flood.chats: must be 1 to 100000, not 0",
        ),
        (
            "steps: [ flood: { chats: many, says: А } ]",
            "bad.yaml:5:26: steps[0].flood.chats: ",
        ),
        (
            "steps: [ customer: { about: boots, says: \"\" } ]",
            "bad.yaml:5:42: steps[0].customer.says: a message must have 1 to 4096 characters, not 0",
        ),
        (
            "steps:\n  - reply: { about: boots, within: 1h, then: [ { finish: { about: hat } } ] }",
            "bad.yaml:6:67: steps[0].reply.then[0].finish.about: no order, return or customer is called `hat`",
        ),
        (
            "steps: [ reply: { about: boots } ]",
            "bad.yaml:5:19: steps[0].reply: missing field `within`",
        ),
        (
            "steps: [ reply: { about: boots, within: 1h, matching: \"(\" } ]",
            "bad.yaml:5:55: steps[0].reply.matching: `(` is no regular expression: unclosed group",
        ),
        (
            "steps: [ shout: { about: boots } ]",
            "bad.yaml:5:10: steps[0]: unknown variant `shout`, expected one of",
        ),
        (
            "steps: [ finish: { abot: boots } ]",
            "bad.yaml:5:20: steps[0].finish.abot: unknown field `abot`, expected one of about",
        ),
        (
            "steps: [ wait: 1s ]\nsteps: [ wait: 2s ]",
            "bad.yaml:6:1: duplicate mapping key `steps`",
        ),
        ("", "bad.yaml: steps: a scenario has at least one step"),
        ("stesp: []", "bad.yaml:5:1: stesp: unknown field `stesp`"),
        (
            "steps: [ wait: 1s ]\nrules: [ { do: [] } ]",
            "bad.yaml:6:10: rules[0].do: has no steps",
        ),
        (
            "steps: [ wait: 1s ]\nrules: [ { times: 0, do: [ wait: 1s ] } ]",
            "bad.yaml:6:10: rules[0].times: must be at least 1",
        ),
        (
            "steps: [ wait: 1s ]\nexpect: [ status: { about: boots, is: DONE } ]",
            "bad.yaml:6:39: expect[0].status.is: `DONE` is none of NEW, WAITING_FOR_CUSTOMER",
        ),
        (
            "steps: [ wait: 1s ]\nexpect: [ acknowledged: { type: PING, within: 1m } ]",
            "bad.yaml:6:33: expect[0].acknowledged.type: `PING` is none of CHAT_CREATED",
        ),
        (
            "steps: [ wait: 1s ]\nexpect: [ partner: { about: hat } ]",
            "bad.yaml:6:29: expect[0].partner.about: no order, return or customer is called `hat`",
        ),
        ("steps: [ wait: 1s", "bad.yaml:5:"),
    ] {
        let said = said(rest);
        assert!(
            said.starts_with(expected),
            "{rest}\n     said: {said}\n expected: {expected}"
        );
    }
}

#[test]
fn every_wrong_name_is_named_at_once() {
    let text = "\
title: A test
customers: { anna: Анна, boots: Борис }
orders:
  boots: { customer: ana }
returns:
  back: { order: hat }
steps:
  - wait: 1s
";
    let error = Scenario::parse("bad.yaml", text)
        .expect_err("it is wrong")
        .to_string();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "bad.yaml:4:22: orders.boots: something else is called `boots` already",
            "bad.yaml:4:22: orders.boots.customer: no customer is called `ana`: there are anna, boots",
            "bad.yaml:6:18: returns.back.order: no order is called `hat`: there are boots",
        ]
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gone.yaml");
    let error = Scenario::read(&path).expect_err("there is none").to_string();
    assert!(
        error.starts_with(&format!("{}: cannot be read: ", path.display())),
        "{error}"
    );

    let text =
        "title: T\ncustomers: { anna: А }\nsteps: [ customer: { about: anna, sends: [big.bin, gone.png] } ]";
    std::fs::write(&path, text).expect("a file");
    std::fs::write(folder.path().join("big.bin"), vec![0; 5 * 1024 * 1024 + 1]).expect("a file");
    let error = Scenario::read(&path).expect_err("it is wrong").to_string();
    let lines: Vec<_> = error.lines().collect();
    assert!(
        lines[0].ends_with(":3:43: steps[0].customer.sends[0]: `big.bin` has more than 5 MiB"),
        "{error}"
    );
    assert!(
        lines[1].contains(":3:52: steps[0].customer.sends[1]: `") && lines[1].contains("cannot be read"),
        "{error}"
    );
}
