//! What goes wrong, and what those who call notice of it.

use std::time::{Duration, Instant};

use prilavok_test_postgres::Cluster;
use reqwest::StatusCode;

use crate::fleet::Fleet;
use crate::history::{Failure, Traffic};
use crate::node::wait_until;
use crate::relay::Relay;

const CHATS: usize = 6;
const WRITERS: usize = 12;
const READERS: usize = 3;

/// A database that has come back is served from within this time.
const RECOVERY: Duration = Duration::from_secs(5);

#[test]
fn a_node_that_is_killed_takes_nothing_with_it() {
    let cluster = Cluster::start();
    let mut fleet = Fleet::on(&cluster, CHATS);
    let traffic = Traffic::start(&fleet, WRITERS, 0);
    traffic.wait_for(200);
    fleet.nodes[1].kill();
    traffic.wait_for(200);
    let history = traffic.join();
    // What was open on the node broke, at most once for each caller; nobody else noticed anything.
    let broken = history.failures.values().sum::<u64>();
    assert!(broken <= 2 * WRITERS as u64, "{:?}", history.failures);
    history.must_be_whole(&fleet);
    fleet.check();
}

#[test]
fn a_database_that_is_killed_is_missed_until_it_is_back() {
    let cluster = Cluster::start();
    let fleet = Fleet::on(&cluster, CHATS);
    let traffic = Traffic::start(&fleet, WRITERS, READERS);
    traffic.wait_for(200);
    cluster.crash();
    for node in &fleet.nodes {
        wait_until("a node says that it cannot serve", || {
            node.status("/readyz") == Some(StatusCode::SERVICE_UNAVAILABLE)
        });
        assert_eq!(
            node.status("/healthz"),
            Some(StatusCode::OK),
            "the node itself is well"
        );
    }
    cluster.start_again();
    let back = Instant::now();
    for node in &fleet.nodes {
        wait_until("a node serves again", || node.is_ready());
    }
    traffic.wait_for(1);
    assert!(back.elapsed() < RECOVERY, "{:?}", back.elapsed());
    traffic.wait_for(200);
    let history = traffic.join();
    assert!(
        history.failures.contains_key(&Failure::Unavailable),
        "{:?}",
        history.failures
    );
    history.must_be_whole(&fleet);
    fleet.check();
}

#[test]
fn a_standby_that_is_promoted_has_all_that_was_acknowledged() {
    let first = Cluster::start();
    let database = first.new_database();
    let second = first.standby();
    // A commit is acknowledged when the standby has it as well.
    first.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
    first.sql("postgres", "SELECT pg_reload_conf()");
    let both = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{database}?target_session_attrs=read-write",
        first.port(),
        second.port()
    );
    let fleet = Fleet::of(&[&both, &both, &both], &both, CHATS, &[]);
    let traffic = Traffic::start(&fleet, WRITERS, READERS);
    traffic.wait_for(200);
    first.crash();
    second.promote();
    traffic.wait_for(200);
    let history = traffic.join();
    history.must_be_whole(&fleet);
    fleet.check();
}

#[test]
fn a_node_that_is_cut_off_from_the_database_says_so_and_comes_back() {
    let cluster = Cluster::start();
    let database = cluster.new_database();
    let relay = Relay::to(cluster.port());
    let (direct, relayed) = (
        cluster.url(&database),
        format!("postgres://postgres@127.0.0.1:{}/{database}", relay.port),
    );
    let fleet = Fleet::of(
        &[&direct, &direct, &relayed],
        &direct,
        CHATS,
        &[("PRILAVOK_POSTGRES__STATEMENT_SECONDS", "3")],
    );
    let traffic = Traffic::start(&fleet, WRITERS, READERS);
    traffic.wait_for(200);
    relay.cut();
    wait_until("the node that is cut off says that it cannot serve", || {
        fleet.nodes[2].status("/readyz") == Some(StatusCode::SERVICE_UNAVAILABLE)
    });
    // The others go on.
    assert!(fleet.nodes[0].is_ready() && fleet.nodes[1].is_ready());
    relay.mend();
    wait_until("the node serves again", || fleet.nodes[2].is_ready());
    traffic.wait_for(200);
    let history = traffic.join();
    history.must_be_whole(&fleet);
    fleet.check();
}

#[test]
fn a_pool_that_is_full_refuses_in_time_and_recovers() {
    let cluster = Cluster::start();
    let url = cluster.url(&cluster.new_database());
    let small = [
        ("PRILAVOK_POSTGRES__CONNECTIONS", "2"),
        ("PRILAVOK_POSTGRES__WAIT_MS", "200"),
        ("PRILAVOK_POSTGRES__STATEMENT_SECONDS", "3"),
    ];
    let fleet = Fleet::of(&[&url, &url], &url, CHATS, &small);
    let database = url.rsplit('/').next().expect("a name").to_owned();
    let traffic = Traffic::start(&fleet, WRITERS, READERS);
    traffic.wait_for(100);
    // Somebody holds a table: all connections wait for it, and whoever asks then waits for a connection.
    cluster.sql(&database, "BEGIN; LOCK TABLE chat; SELECT pg_sleep(2); COMMIT");
    let took = traffic.wait_for(50);
    assert!(took < RECOVERY, "{took:?}");
    let history = traffic.join();
    assert!(
        history.failures.contains_key(&Failure::Unavailable),
        "{:?}",
        history.failures
    );
    history.must_be_whole(&fleet);
    fleet.check();
}
