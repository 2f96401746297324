//! Ten runs with faults: whatever happens meanwhile, each chat is one growing sequence to all who read it.

use std::time::Duration;

use prilavok_test_postgres::Cluster;

use crate::fleet::Fleet;
use crate::history::Traffic;

const RUNS: u64 = 10;
const CHATS: usize = 6;
const WRITERS: usize = 8;
const READERS: usize = 4;

#[test]
fn ten_runs_with_faults_show_one_growing_sequence_of_each_chat() {
    let cluster = Cluster::start();
    let mut fleet = Fleet::on(&cluster, CHATS);
    let mut random = fastrand::Rng::with_seed(7);
    for run in 0..RUNS {
        let traffic = Traffic::start(&fleet, WRITERS, READERS);
        traffic.wait_for(100);
        std::thread::sleep(Duration::from_millis(random.u64(0..200)));
        match run % 3 {
            // One node after the other, and never all.
            0 => {
                let victim = random.usize(0..fleet.nodes.len());
                fleet.nodes[victim].kill();
                traffic.wait_for(100);
                fleet.nodes[victim].start_again();
            }
            1 => {
                cluster.crash();
                cluster.start_again();
            }
            // Connections break, at any moment of a write.
            _ => {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'prilavok'";
                for _ in 0..5 {
                    cluster.sql("postgres", end);
                    traffic.wait_for(20);
                }
            }
        }
        traffic.wait_for(100);
        let history = traffic.join();
        // Shown with a failure only.
        println!("run {run}: failures {:?}", history.failures);
        history.must_be_whole(&fleet);
    }
    fleet.check();
}
