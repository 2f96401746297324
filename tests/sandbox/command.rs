//! The command: what it prints, scenarios on the command line, exit codes, what is left behind.

use std::io::Write;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::market::{Market, sandbox};

/// A buyer who wants an answer within an hour.
const BUYER: &str = "
title: Somebody asks
customers: { anna: Анна Котова }
orders: { boots: { customer: anna } }
steps:
  - customer: { about: boots, says: Где мой заказ? }
expect:
  - answered: { within: 1h }
";

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new()
        .suffix(".yaml")
        .tempfile()
        .expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

#[test]
fn an_expectation_that_is_not_met_is_the_exit_code() {
    let file = file(BUYER);
    let path = file.path().to_str().expect("a path");
    let mut market = Market::with(&["--speed", "0", "--scenario", path, "--until-over"]);
    market.advance("2h");
    let (code, said) = market.ended();
    assert_eq!(code, Some(1));
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["scenarios"][0]["state"], "failed", "{said}");
}

#[test]
fn an_expectation_that_is_met_is_a_good_end() {
    let file = file(BUYER);
    let path = file.path().to_str().expect("a path");
    let mut market = Market::with(&["--speed", "0", "--scenario", path, "--until-over"]);
    let cast = market.told["scenarios"][0].clone();
    let business = &cast["businessId"];
    market.advance("1m");
    let chats = market.request(Method::POST, &format!("/v2/businesses/{business}/chats"));
    let key = cast["apiKey"].as_str().expect("a key");
    let chats = chats
        .header("Api-Key", key)
        .json(&json!({}))
        .send()
        .expect("an answer");
    let chats: Value = chats.json().expect("JSON");
    let chat = &chats["result"]["chats"][0]["chatId"];
    let path = format!("/v2/businesses/{business}/chats/message?chatId={chat}");
    let answer = market.request(Method::POST, &path).header("Api-Key", key);
    let answer = answer
        .json(&json!({ "message": "Завтра у вас" }))
        .send()
        .expect("an answer");
    assert!(answer.status().is_success());
    market.advance("2h");
    let (code, said) = market.ended();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_is_not_decided_when_it_stops_is_not_met() {
    let file = file(BUYER);
    let market = Market::with(&[
        "--speed",
        "0",
        "--scenario",
        file.path().to_str().expect("a path"),
    ]);
    let (code, said) = market.stop();
    assert_eq!(code, Some(1));
    assert!(said.contains("\"running\""), "{said}");
}

#[test]
fn a_wrong_scenario_is_named_with_its_place() {
    let file = file("title: x\nsteps:\n  - customer: { about: nobody, says: hi }\n");
    let output = sandbox(&["--scenario", file.path().to_str().expect("a path")])
        .stderr(std::process::Stdio::piped())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(":3:") && said.contains("nobody"), "{said}");
}

#[test]
fn nothing_is_left_of_a_sandbox_in_memory() {
    let market = Market::open();
    let folder = market.told("folder").to_owned();
    assert!(Path::new(&folder).is_dir());
    let (code, _) = market.stop();
    assert_eq!(code, Some(0));
    assert!(!Path::new(&folder).exists(), "{folder}");
}

#[test]
fn a_sandbox_in_a_folder_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path");
    let market = Market::with(&["--data", data]);
    market.customer_writes(1, 1, "запомни");
    assert_eq!(market.stop().0, Some(0));
    let market = Market::with(&["--data", data]);
    assert!(market.texts(1).contains(&"запомни".to_owned()));
    // The other commands find the state that is served.
    let current = folder.path().join("current");
    let check = std::process::Command::new(env!("CARGO_BIN_EXE_prilavok"))
        .args(["check", "--data", current.to_str().expect("a path")])
        .status();
    assert!(check.expect("the binary runs").success());
}
