//! An upgrade, and the way back: nodes of two versions side by side on one database, while others write and read.
//!
//! `tests/upgrade.sh` runs it with the version before the last change of the schema.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use prilavok_test_postgres::Cluster;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::a_business;
use crate::fleet::Fleet;
use crate::history::{Failure, Traffic};
use crate::node::{Node, printed, this_version, wait_until};

const CHATS: usize = 6;
const WRITERS: usize = 12;

/// The embedded store, as the setting names it.
const EMBEDDED: &str = "sqlite";

/// The program of the older version.
fn before() -> OsString {
    std::env::var_os("BEFORE_UPGRADE").expect("the program of an older version in BEFORE_UPGRADE")
}

/// The number of the schema that a database has.
fn schema(cluster: &Cluster, database: &str) -> String {
    cluster.sql(database, "SELECT number FROM meta WHERE name = 'schema'")
}

#[test]
#[ignore = "wants the program of an older version: tests/upgrade.sh builds it"]
fn nodes_are_upgraded_one_after_the_other_and_back_while_others_call() {
    let (before, cluster) = (before(), Cluster::shared());
    let database = cluster.new_database();
    let mut fleet = Fleet::of_version(&before, &cluster.url(&database), CHATS);
    let older = schema(cluster, &database);
    let traffic = Traffic::start(&fleet, WRITERS, 3);
    traffic.wait_for(200);
    for at in 0..fleet.nodes.len() {
        fleet.nodes[at].replace(this_version());
        wait_until("the new version serves", || fleet.nodes[at].is_ready());
        assert_ne!(
            schema(cluster, &database),
            older,
            "the first one changes the schema"
        );
        for node in &fleet.nodes {
            assert!(node.is_ready(), "the others go on");
        }
        traffic.wait_for(200);
    }
    for node in &mut fleet.nodes[..2] {
        node.replace(&before);
        wait_until("the old version serves again", || node.is_ready());
        traffic.wait_for(200);
    }
    let history = traffic.join();
    // Readers ask the nodes themselves, and find one stopped now and then. Writers come through the load balancer, which finds
    // another node; what breaks is at most what comes while a connection is being closed.
    let unavailable = history.failures.get(&Failure::Unavailable).copied();
    assert!(
        unavailable.unwrap_or_default() <= WRITERS as u64,
        "{unavailable:?}"
    );
    history.must_be_whole(&fleet);
    for program in [&before, this_version()] {
        fleet.check_with(program);
    }
}

#[test]
#[ignore = "wants the program of an older version: tests/upgrade.sh builds it"]
fn a_server_that_is_alone_is_upgraded_with_all_that_it_has() {
    let before = before();
    let folder = tempfile::tempdir().expect("a folder");
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    let of_shop = |program: &OsStr, arguments: &[&str]| printed(program, arguments, EMBEDDED, &data);
    let mut node = Node::start(&before, EMBEDDED, &data, &files, &[], &["--no-limits"]);
    let operator = of_shop(&before, &["operator-token", "create"]);
    let chats = a_business::with_chats(&node.address, &operator, CHATS);
    let key = of_shop(&before, &a_business::CREATE_KEY);
    let list = |address: &str| -> Value {
        let asked = Client::new()
            .post(format!("{address}/v2/businesses/1/chats"))
            .header("Api-Key", &key);
        let answer = asked.json(&json!({})).send().expect("an answer");
        answer.json().expect("JSON")
    };
    let shown = list(&node.address);
    assert_eq!(
        shown["result"]["chats"].as_array().map(Vec::len),
        Some(chats.len()),
        "{shown}"
    );

    node.replace(this_version());
    assert_eq!(list(&node.address), shown);
    node.stop();
    of_shop(this_version(), &["check"]);

    // The way back is a backup: the older version says so, and leaves the file alone.
    let refused = Command::new(&before)
        .args(["check", "--data"])
        .arg(&data)
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("written by a newer version"),
        "{said}"
    );
    of_shop(this_version(), &["check"]);
}
