//! What other tests rely on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use prilavok_test_postgres::Cluster;

fn folder_of(cluster: &Cluster) -> String {
    cluster.sql("postgres", "SHOW data_directory")
}

#[test]
fn what_was_committed_survives_a_crash() {
    let cluster = Cluster::start();
    let database = cluster.new_database();
    cluster.sql(&database, "CREATE TABLE kept AS SELECT 7 AS number");
    cluster.crash();
    cluster.start_again();
    assert_eq!(cluster.sql(&database, "SELECT number FROM kept"), "7");
    let copy = cluster.new_database_like(&database);
    assert_eq!(cluster.sql(&copy, "SELECT number FROM kept"), "7");
}

#[test]
fn a_standby_follows_and_takes_over() {
    let cluster = Cluster::start();
    let standby = cluster.standby();
    cluster.sql("postgres", "CREATE TABLE kept AS SELECT 7 AS number");
    cluster.wait_for(&standby);
    cluster.crash();
    standby.promote();
    standby.sql("postgres", "INSERT INTO kept VALUES (8)");
    assert_eq!(standby.sql("postgres", "SELECT sum(number) FROM kept"), "15");
}

#[test]
fn nothing_is_left_of_a_cluster() {
    let cluster = Cluster::start();
    let folder = folder_of(&cluster);
    assert!(Path::new(&folder).exists());
    drop(cluster);
    assert!(!Path::new(&folder).exists());
}

/// Runs in a process of its own, which [`nothing_is_left_after_a_kill`] kills.
#[test]
#[ignore = "waits until it is killed"]
fn waits() {
    println!("{}", folder_of(Cluster::shared()));
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_is_left_after_a_kill() {
    use std::io::{BufRead, BufReader};

    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "waits", "--nocapture"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let folder = lines
        .map_while(Result::ok)
        .find_map(|line| line.find('/').map(|at| line[at..].to_owned()));
    let folder = folder.expect("a folder");
    assert!(Path::new(&folder).exists());
    child.kill().expect("killed");
    child.wait().expect("dead");
    let deadline = Instant::now() + Duration::from_secs(20);
    while Path::new(&folder).exists() {
        assert!(Instant::now() < deadline, "{folder} is still there");
        std::thread::sleep(Duration::from_millis(50));
    }
}
