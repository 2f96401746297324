//! Where settings come from, and what is said of wrong ones.

use std::fs;

use prilavok_server::settings::{DEFAULTS, Overrides, Settings};

use crate::binary::{Server, command, new_key, printed, run};

#[test]
fn the_printed_settings_are_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = printed(folder.path(), &["config"]);
    assert_eq!(text, DEFAULTS);
    for promised in [
        "listen = \"127.0.0.1:8080\"",
        "data = \"./prilavok-data\"",
        "shutdown_seconds = 10",
    ] {
        assert!(text.lines().any(|line| line == promised), "{promised}: {text}");
    }
    let file = folder.path().join("all.toml");
    fs::write(&file, &text).expect("written");
    let read = Settings::load(Some(&file), &Overrides::default()).expect("right");
    let usual = Settings::load(None, &Overrides::default()).expect("right");
    assert_eq!(format!("{read:?}"), format!("{usual:?}"));
    let settings = text
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains('='));
    assert!(settings.count() >= 20, "every setting stands there: {text}");
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    for (text, told) in [
        (
            "[limits]\nparalel = 4",
            "wrong setting limits.paralel: there is no such setting; there are parallel, hourly, businesses (from wrong.toml)",
        ),
        (
            "[log]\nrequests = \"some\"",
            "wrong setting log.requests: `some` is none of failed, all, none (from wrong.toml)",
        ),
        (
            "[server]\nmax_connections = 0",
            "wrong setting server.max_connections: must be from 1 to 1000000, not 0 (from wrong.toml)",
        ),
        (
            "[log]\nfilter = \"prilavok=loud\"",
            "wrong setting log.filter: `prilavok=loud`",
        ),
        ("listen = ", "line 1, column"),
    ] {
        fs::write(&file, text).expect("written");
        let said = run(folder.path(), &["serve", "--config", "wrong.toml"]);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
        assert!(said.err.contains(told), "{told}\n{}", said.err);
    }
    for (variable, value, told) in [
        (
            "PRILAVOK_LIMITS__HOURLY__GETCHAT",
            "few",
            "limits.hourly.getChat: must be a number from 0 to 2147483647, or \"unlimited\", not string \"few\" \
             (from PRILAVOK_LIMITS__HOURLY__GETCHAT)",
        ),
        ("PRILAVOK_LOGS__FORMAT", "json", "logs: there is no such setting"),
        ("PRILAVOK_LISTEN", "8080", "(from PRILAVOK_LISTEN)"),
        (
            "PRILAVOK_DATA",
            "",
            "wrong setting data: the name of a folder is empty (from PRILAVOK_DATA)",
        ),
        (
            "PRILAVOK_LOG",
            "debug",
            "wrong setting log: is a section with settings of its own, not string \"debug\" (from PRILAVOK_LOG)",
        ),
    ] {
        let mut serve = command(folder.path(), &["serve"]);
        let output = serve.env(variable, value).output().expect("the binary runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(told), "{told}\n{err}");
    }
    let said = run(folder.path(), &["serve", "--listen", "localhost"]);
    assert!(
        said.err
            .contains("wrong setting listen: `localhost` is no IP address with a port")
            && said.err.contains("(from the command line)"),
        "{said:?}"
    );
    assert!(
        !folder.path().join("prilavok-data").exists(),
        "nothing was started"
    );
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("own.toml");
    fs::write(
        &file,
        "utc_offset = \"+07:00\"\nlisten = \"nowhere\"\n[limits.hourly]\ngetChat = 5\ngetChats = 6\n\
         [limits.businesses.1]\nhourly.getChatHistory = 8",
    )
    .expect("written");
    // The file's address is wrong, and the command line's is right.
    let server = Server::with(
        folder.path(),
        &["--config", "own.toml"],
        &[("PRILAVOK_LIMITS__HOURLY__GETCHAT", "7")],
    );
    let (_, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "all-methods");
    let limit = |method: reqwest::Method, path: &str| {
        let request = server.request(method, &format!("/v2/businesses/1/{path}"));
        let answer = request.header("Api-Key", &key).send().expect("an answer");
        let limit = answer.headers()["x-ratelimit-resource-limit"]
            .to_str()
            .map(str::to_owned);
        (limit.expect("ASCII"), answer.text().expect("text"))
    };
    let (of_chat, body) = limit(reqwest::Method::GET, &format!("chat?chatId={chat}"));
    assert_eq!(of_chat, "7", "the environment's");
    assert!(body.contains("+07:00"), "the file's: {body}");
    assert_eq!(limit(reqwest::Method::POST, "chats").0, "6", "the file's");
    let (of_history, _) = limit(reqwest::Method::POST, &format!("chats/history?chatId={chat}"));
    assert_eq!(of_history, "8", "the business's own");
    assert_eq!(limit(reqwest::Method::POST, "chats/new").0, "1000", "the default");
}

#[test]
fn lifted_limits_go_on_counting() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::with(
        folder.path(),
        &["--no-limits"],
        &[
            ("PRILAVOK_LIMITS__HOURLY__GETCHAT", "1"),
            ("PRILAVOK_LIMITS__PARALLEL", "0"),
        ],
    );
    let (_, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "all-methods");
    let remaining: Vec<i64> = (0..3)
        .map(|_| {
            let request = server.get(&format!("/v2/businesses/1/chat?chatId={chat}"));
            let answer = request.header("Api-Key", &key).send().expect("an answer");
            assert_eq!(answer.status(), 200);
            let remaining = answer.headers()["x-ratelimit-resource-remaining"].to_str();
            remaining.expect("ASCII").parse().expect("a number")
        })
        .collect();
    assert_eq!((remaining[0] - remaining[1], remaining[1] - remaining[2]), (1, 1));
}

#[test]
fn where_the_binary_is_is_no_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut keys = command(folder.path(), &["keys", "list", "--business", "1"]);
    let output = keys
        .env("PRILAVOK_BIN", "/opt/prilavok")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no store in") && !said.contains("PRILAVOK_BIN"),
        "{said}"
    );
}
