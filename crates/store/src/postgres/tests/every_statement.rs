//! The statements of all modules, and whether PostgreSQL takes each of them.

use prilavok_test_postgres::Cluster;

use crate::postgres::*;

/// The statements of each module.
pub(super) const STATEMENTS: &[(&str, &[(&str, &str)])] = &[
    ("all_of_customer", all_of_customer::STATEMENTS),
    ("attempts", attempts::STATEMENTS),
    ("chat_list", chat_list::STATEMENTS),
    ("chats", chats::STATEMENTS),
    ("check", check::STATEMENTS),
    ("counter", counter::STATEMENTS),
    ("credentials", credentials::STATEMENTS),
    ("deliveries", deliveries::STATEMENTS),
    ("disputes", disputes::STATEMENTS),
    ("erasure", erasure::STATEMENTS),
    ("events", events::STATEMENTS),
    ("followed", followed::STATEMENTS),
    ("idempotency", idempotency::STATEMENTS),
    ("leases", leases::STATEMENTS),
    ("listen", listen::STATEMENTS),
    ("messages", messages::STATEMENTS),
    ("meta", meta::STATEMENTS),
    ("nodes", nodes::STATEMENTS),
    ("of_customer", of_customer::STATEMENTS),
    ("overdue", overdue::STATEMENTS),
    ("registry", registry::STATEMENTS),
    ("retention", retention::STATEMENTS),
    ("sessions", sessions::STATEMENTS),
    ("subscriptions", subscriptions::STATEMENTS),
    ("taken", taken::STATEMENTS),
    ("usage", usage::STATEMENTS),
    ("work", work::STATEMENTS),
];

#[test]
fn each_can_be_prepared() {
    let database = super::database();
    for (module, statements) in STATEMENTS {
        for (name, sql) in *statements {
            if !sql.starts_with("LISTEN") {
                // One session for each: a failure shows which it is.
                println!("{module}::{name}");
                Cluster::shared().sql(&database, &format!("PREPARE one AS {sql}"));
            }
        }
    }
}
