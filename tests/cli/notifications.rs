//! Subscriptions, made and changed beside a running server, with a real receiver.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::binary::{Said, Server, command, printed, run};

#[path = "../receiver.rs"]
mod receiver;
use receiver::{Behaviour, Receiver, nobody};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Within this much a running server notices what another process changed.
const NOTICED: Duration = Duration::from_secs(1);

/// `prilavok notifications ACTION --business 1 …`.
fn notifications(folder: &Path, action: &str, rest: &[&str]) -> Said {
    run(
        folder,
        &[&["notifications", action, "--business", "1"], rest].concat(),
    )
}

/// The same, where it must work; answers its standard output.
#[track_caller]
fn works(folder: &Path, action: &str, rest: &[&str]) -> String {
    let said = notifications(folder, action, rest);
    assert_eq!(said.code, Some(0), "{action} {rest:?}: {said:?}");
    said.out
}

/// The same, where it must fail; answers what it said.
#[track_caller]
fn fails(folder: &Path, action: &str, rest: &[&str]) -> String {
    let said = notifications(folder, action, rest);
    assert_eq!(
        (said.code, &*said.out),
        (Some(1), ""),
        "{action} {rest:?}: {said:?}"
    );
    said.err
}

fn state(folder: &Path, name: &str) -> Option<String> {
    let list = works(folder, "list", &[]);
    let line = list.lines().find(|line| line.contains(name))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// A server with business 1, which may notify receivers on this machine.
struct Shop {
    server: Server,
    token: String,
    chat: i64,
    folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        Self::with(&[])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::with(folder.path(), &["--allow-private-webhooks"], variables);
        let (token, chat) = server.set_up();
        Self {
            server,
            token,
            chat,
            folder,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The customer writes.
    fn message(&self) {
        let path = format!("/operator/v1/businesses/1/chats/{}/messages", self.chat);
        let request = self.server.request(Method::POST, &path).bearer_auth(&self.token);
        let message = json!({"sender": "CUSTOMER", "message": "hello"});
        let answer = request.json(&message).send().expect("an answer");
        assert_eq!(answer.status(), 201);
    }
}

#[test]
fn a_subscription_acts_at_once_on_a_running_server() {
    let (shop, receiver) = (Shop::open(), Receiver::start());
    let (folder, url) = (shop.folder(), receiver.url());
    let said = notifications(folder, "add", &["--name", "crm", "--url", &url]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let secret = said.out.strip_suffix('\n').expect("a line");
    assert!(
        secret.starts_with("whsec_") && !secret.contains(char::is_whitespace),
        "the secret alone: {secret}"
    );
    assert!(
        !said.err.contains(secret) && said.err.contains("`crm`"),
        "{said:?}"
    );
    // The server notices within a tenth of a second; until then nothing is lost either.
    shop.message();
    let events = receiver.events(1);
    assert_eq!(events[0].kind(), "CHAT_MESSAGE_SENT");
    assert!(receiver.received().iter().all(|one| one.is_signed_with(secret)));

    let list = works(folder, "list", &[]);
    let line = list.lines().nth(1).expect("a subscription");
    for part in ["enabled", "crm", " all ", &url] {
        assert!(line.contains(part), "{part}: {list}");
    }
    assert!(!list.contains("whsec"), "{list}");

    works(folder, "disable", &["crm"]);
    assert_eq!(state(folder, "crm").as_deref(), Some("disabled"));
    std::thread::sleep(NOTICED);
    shop.message();
    let id = line.split_whitespace().next().expect("an id");
    works(folder, "enable", &[id]);
    assert_eq!(state(folder, "crm").as_deref(), Some("enabled"));
    shop.message();
    let messages: Vec<_> = receiver
        .events(2)
        .iter()
        .map(|one| one.body["messageId"].clone())
        .collect();
    assert_ne!(messages[0], messages[1]);

    works(folder, "delete", &["crm"]);
    assert_eq!(state(folder, "crm"), None);
    assert!(fails(folder, "delete", &["crm"]).contains("prilavok notifications list"));
    std::thread::sleep(NOTICED);
    shop.message();
    assert_eq!(receiver.events(2).len(), 2);
}

#[test]
fn a_subscription_is_changed_beside_a_running_server() {
    let (shop, old, new) = (Shop::open(), Receiver::start(), Receiver::start());
    let folder = shop.folder();
    works(
        folder,
        "add",
        &["--name", "crm", "--url", &old.url(), "--type", "CHAT_CREATED"],
    );
    assert!(works(folder, "list", &[]).contains(" CHAT_CREATED "));
    new.now(Behaviour::Answers(404, ""));
    let edit = [
        "crm",
        "--url",
        &new.url(),
        "--type",
        "CHAT_MESSAGE_SENT",
        "--name",
        "bot",
    ];
    let told = fails(folder, "edit", &edit);
    assert!(
        told.contains("the subscription was not changed")
            && told.contains("the answer was 404 instead of 200"),
        "{told}"
    );
    assert!(
        works(folder, "list", &[]).contains(&old.url()),
        "nothing was changed"
    );
    new.now(Behaviour::Accepts);
    works(folder, "edit", &edit);
    assert_eq!(state(folder, "bot").as_deref(), Some("enabled"));
    std::thread::sleep(NOTICED);
    shop.message();
    new.events(1);
    assert_eq!(old.events(0).len(), 0);
    let said = notifications(folder, "edit", &["bot"]);
    assert_eq!(said.code, Some(2), "something must be changed: {said:?}");
}

#[test]
fn a_test_says_how_it_was_answered() {
    let (shop, receiver) = (Shop::open(), Receiver::start());
    let folder = shop.folder();
    works(folder, "add", &["--name", "crm", "--url", &receiver.url()]);
    let said = works(folder, "test", &["crm"]);
    assert!(
        said.starts_with("the PING was answered as agreed: HTTP 200 after "),
        "{said}"
    );
    receiver.now(Behaviour::Answers(500, "{\"oops\": \"\u{1b}[2J\"}"));
    let told = fails(folder, "test", &["crm"]);
    assert!(
        told.contains("the answer was 500 instead of 200 (HTTP 500 after ") && told.contains("oops"),
        "{told}"
    );
    assert!(!told.contains('\u{1b}'), "a terminal is not commanded: {told:?}");
    receiver.now(Behaviour::IsLate(Duration::from_millis(1_500)));
    let told = fails(folder, "test", &["crm"]);
    assert!(
        told.contains("there was no answer within 1 s (no HTTP status after 1"),
        "{told}"
    );
    assert_eq!(
        state(folder, "crm").as_deref(),
        Some("enabled"),
        "nothing is changed"
    );
}

#[test]
fn both_secrets_sign_after_a_rotation() {
    let (shop, receiver) = (Shop::open(), Receiver::start());
    let folder = shop.folder();
    let old = works(folder, "add", &["--name", "crm", "--url", &receiver.url()]);
    let new = works(folder, "rotate-secret", &["crm", "--previous-valid", "600"]);
    assert_ne!(old, new);
    std::thread::sleep(NOTICED);
    shop.message();
    let event = receiver.events(1).remove(0);
    assert!(event.is_signed_with(old.trim()) && event.is_signed_with(new.trim()));
    works(folder, "rotate-secret", &["crm", "--previous-valid", "0"]);
    works(folder, "test", &["crm"]);
    let received = receiver.received();
    let last = received.last().expect("a PING");
    assert!(!last.is_signed_with(old.trim()) && !last.is_signed_with(new.trim()));
    let said = notifications(folder, "rotate-secret", &["crm", "--previous-valid", "604801"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("0 to 604800"), "{said:?}");
}

#[test]
fn nothing_is_kept_of_a_receiver_that_answers_wrongly() {
    let (shop, receiver) = (Shop::open(), Receiver::start());
    let folder = shop.folder();
    receiver.now(Behaviour::Answers(200, "{\"version\":\"1.0.0\"}"));
    let (wrong, closed) = (receiver.url(), nobody());
    for (url, told) in [
        (
            &*wrong,
            "200, but \"name\" is missing in its body (HTTP 200 after ",
        ),
        (&*closed, "cannot connect to 127.0.0.1:"),
        ("crm.example.com", "the URL must be a URL like https://"),
        (
            "https://me:pw@crm.example.com/",
            "must not contain a user name or password",
        ),
    ] {
        let said = fails(folder, "add", &["--name", "crm", "--url", url]);
        assert!(
            said.contains("the subscription was not made") && said.contains(told),
            "{said}"
        );
        assert_eq!(works(folder, "list", &[]).lines().count(), 1, "nothing is kept");
    }
    // One that checks signatures is given the secret first.
    let secret = works(folder, "add", &["--name", "crm", "--url", &wrong, "--disabled"]);
    assert_eq!(state(folder, "crm").as_deref(), Some("disabled"));
    let pings = receiver.pings();
    assert!(fails(folder, "enable", &["crm"]).contains("\"name\" is missing"));
    assert_eq!(state(folder, "crm").as_deref(), Some("disabled"));
    receiver.now(Behaviour::Accepts);
    works(folder, "enable", &["crm"]);
    assert_eq!(receiver.pings(), pings + 2);
    assert!(
        receiver
            .received()
            .last()
            .expect("a PING")
            .is_signed_with(secret.trim())
    );
    let taken = fails(folder, "add", &["--name", "crm", "--url", &wrong]);
    assert!(taken.contains("has this name"), "{taken}");
}

#[test]
fn private_addresses_need_leave() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let receiver = Receiver::start();
    let server = Server::start(folder);
    server.set_up();
    let url = receiver.url();
    let add = |name: &str, more: &[&str]| {
        notifications(folder, "add", &[&["--name", name, "--url", &url], more].concat())
    };
    let refused = add("crm", &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("--allow-private-webhooks"), "{refused:?}");
    let private = notifications(folder, "add", &["--name", "crm", "--url", "https://127.0.0.1/"]);
    assert!(
        private.err.contains("notifications.allowed_networks")
            && private.err.contains("--allow-private-webhooks"),
        "{private:?}"
    );
    assert_eq!(receiver.pings(), 0);

    // The flag opens the way for the PING, and it is told that the server will not follow.
    let allowed = add("by flag", &["--allow-private-webhooks"]);
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    assert!(
        allowed
            .err
            .contains("note: the running server sends nothing there"),
        "{allowed:?}"
    );
    let mut by_setting = command(
        folder,
        &["notifications", "add", "--business", "1", "--name", "by setting"],
    );
    let by_setting = by_setting
        .args(["--url", &url])
        .env("PRILAVOK_NOTIFICATIONS__ALLOW_PRIVATE", "true")
        .output();
    assert!(by_setting.expect("the binary runs").status.success());

    // What the server was started with counts while it runs, and no longer.
    server.stop();
    let server = Server::with(folder, &["--allow-private-webhooks"], &[]);
    let known = add("by server", &[]);
    assert_eq!(
        (known.code, known.err.contains("note:")),
        (Some(0), false),
        "{known:?}"
    );
    server.stop();
    assert_eq!(add("after it", &[]).code, Some(1));
}

#[test]
fn usage_is_taught() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = |arguments: &[&str]| printed(folder.path(), arguments);
    assert!(help(&["--help"]).contains("prilavok notifications add --business 1"));
    for (action, taught) in [
        ("add", "notificationType"),
        ("add", "--allow-private-webhooks"),
        ("add", "CHAT_ARBITRAGE_STARTED"),
        ("edit", "--url https://crm.example.com/v2/hook"),
        ("enable", "prilavok notifications list"),
        ("rotate-secret", "--previous-valid 3600"),
    ] {
        let help = help(&["notifications", action, "--help"]);
        assert!(help.contains(taught), "{action}: {taught}: {help}");
    }
    let wrong = run(folder.path(), &["notifications", "list", "--business", "0"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let none = run(folder.path(), &["notifications", "list", "--business", "1"]);
    assert_eq!(none.code, Some(1), "there is no store: {none:?}");
}

#[test]
fn what_fails_is_measured_until_it_is_given_up() {
    let (shop, receiver) = (
        Shop::with(&[(
            "PRILAVOK_NOTIFICATIONS__SCHEDULE",
            "[{every_seconds=1,until_seconds=2}]",
        )]),
        Receiver::start(),
    );
    works(shop.folder(), "add", &["--name", "crm", "--url", &receiver.url()]);
    let value = |name: &str| -> f64 {
        let text = shop.server.get("/metrics").send().expect("an answer").text();
        let text = text.expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).trim().parse().expect("a number")
    };
    let wait_for = |name: &str, enough: &dyn Fn(f64) -> bool| {
        let began = Instant::now();
        while !enough(value(name)) {
            assert!(began.elapsed() < PATIENCE, "{name} is {}", value(name));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let outcome = |outcome: &str| format!("prilavok_notifications_total{{outcome=\"{outcome}\"}}");
    shop.message();
    wait_for(&outcome("DELIVERED"), &|count| count == 1.0);
    assert_eq!(value(&outcome("FAILED")), 0.0);
    assert_eq!(value("prilavok_subscriptions_given_up"), 0.0);
    receiver.now(Behaviour::Answers(500, ""));
    shop.message();
    wait_for(&outcome("FAILED"), &|count| count >= 1.0);
    wait_for("prilavok_notification_oldest_waiting_seconds", &|age| age > 0.1);
    wait_for("prilavok_notification_retries_total", &|count| count >= 1.0);
    wait_for(&outcome("GIVEN_UP"), &|count| count == 1.0);
    wait_for("prilavok_subscriptions_given_up", &|count| count == 1.0);
    wait_for("prilavok_notification_oldest_waiting_seconds", &|age| age == 0.0);
    assert_eq!(
        value("prilavok_notification_seconds_count"),
        value(&outcome("FAILED")) + 2.0
    );
    assert!(value("prilavok_scheduled_lag_seconds{job=\"sweep_files\"}") >= 0.0);
    assert_eq!(state(shop.folder(), "crm").as_deref(), Some("given-up"));
}
