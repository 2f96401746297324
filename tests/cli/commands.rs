//! Help, usage and what is printed without a store.

use prilavok_wire::Operation;
use serde_json::Value;

use crate::binary::{Server, printed, run};

#[test]
fn help_teaches() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = printed(folder.path(), &["--help"]);
    for word in [
        "serve",
        "keys",
        "operator-token",
        "openapi",
        "config",
        "backup",
        "check",
        "chat",
        "completions",
        "man",
        "Examples:",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    for (arguments, taught) in [
        (&["serve", "--help"][..], "prilavok serve --demo"),
        (&["keys", "create", "--help"], "--scope communication"),
        (&["keys", "revoke", "--help"], "prilavok keys list"),
        (&["operator-token", "create", "--help"], "--data"),
        (&["openapi", "--help"], "operator"),
        (&["backup", "--help"], "To restore"),
        (&["check", "--help"], "--config"),
        (&["chat", "list", "--help"], "PRILAVOK_KEY"),
        (&["chat", "send", "--help"], "--idempotency-key"),
        (&["chat", "watch", "--help"], "--poll"),
        (&["completions", "--help"], "fish"),
        (&["man", "--help"], "--dir"),
    ] {
        let help = printed(folder.path(), arguments);
        assert!(help.contains(taught), "{arguments:?}: {help}");
    }
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let create = ["keys", "create", "--business", "1", "--name", "crm"];
    for arguments in [
        &[][..],
        &["bogus"],
        &["serve", "--port", "1"],
        &["openapi", "parcels"],
        &["backup"],
        &create,
        &[&create[..], &["--scope", "everything"]].concat(),
        &["keys", "list", "--business", "0"],
        &["keys", "list", "--business", "one"],
        &["chat", "show", "0"],
        &["chat", "list", "--status", "OPEN"],
        &["chat", "send", "1", "x", "--idempotency-key", "a b"],
        &["completions", "cmd"],
    ] {
        let said = run(folder.path(), arguments);
        assert_eq!((said.code, &*said.out), (Some(2), ""), "{arguments:?}: {said:?}");
        assert!(
            said.err.contains("Usage") || said.err.contains("error:"),
            "{said:?}"
        );
    }
    let said = run(folder.path(), &["check"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("no store in ./prilavok-data") && said.err.contains("--data"),
        "{said:?}"
    );
}

#[test]
fn the_documents_are_those_that_the_server_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for (arguments, path) in [
        (&["openapi"][..], "/openapi.json"),
        (&["openapi", "partner"], "/openapi.json"),
        (&["openapi", "operator"], "/operator/v1/openapi.json"),
        (&["openapi", "buyer"], "/buyer/v1/openapi.json"),
    ] {
        let here: Value = serde_json::from_str(&printed(folder.path(), arguments)).expect("JSON");
        let there: Value = server.get(path).send().expect("an answer").json().expect("JSON");
        assert_eq!(here, there);
    }
    let partner = printed(folder.path(), &["openapi", "partner"]);
    for operation in Operation::ALL {
        let named = format!("\"operationId\": \"{}\"", operation.as_str());
        assert!(partner.contains(&named), "{named}");
    }
    let collection = printed(folder.path(), &["openapi", "partner", "--format", "postman"]);
    let collection: Value = serde_json::from_str(&collection).expect("JSON");
    assert_eq!(collection["info"]["name"], "Prilavok Partner API");
    let requests = printed(folder.path(), &["openapi", "--format", "http"]);
    assert!(requests.contains("\nGET {{baseUrl}}/v2/"), "{requests}");
    let said = run(folder.path(), &["openapi", "operator", "--format", "http"]);
    assert!(said.code == Some(1) && said.err.contains("--format"), "{said:?}");
    let operator = printed(folder.path(), &["openapi", "operator"]);
    assert!(operator.contains("/operator/v1/businesses/{businessId}/chats/{chatId}/messages"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = env!("CARGO_BIN_EXE_prilavok");
    let head = format!("({binary} openapi; echo $? >&2) | head -c 10");
    let output = std::process::Command::new("sh")
        .args(["-c", &head])
        .current_dir(folder.path())
        .output()
        .expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n");
}

#[test]
fn shells_and_man_learn_the_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(folder.path(), &["completions", shell]);
        for word in ["operator-token", "idempotency-key", "watch"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = printed(folder.path(), &["man"]);
    assert!(
        page.contains(".TH prilavok 1") && page.contains("prilavok\\-chat(1)"),
        "{page}"
    );
    printed(folder.path(), &["man", "--dir", "."]);
    let page = std::fs::read_to_string(folder.path().join("prilavok-chat-send.1")).expect("a page");
    assert!(page.contains("\\-\\-idempotency\\-key"), "{page}");
    let said = run(folder.path(), &["man", "--dir", "nowhere"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("cannot write the pages into nowhere"),
        "{said:?}"
    );
}
