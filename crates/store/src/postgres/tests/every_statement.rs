//! The statements of all modules, and whether PostgreSQL takes each of them.

use prilavok_test_postgres::Cluster;

use crate::postgres::*;

/// The statements of each module.
pub(super) const STATEMENTS: &[(&str, &[(&str, &str)])] = &[
    ("attempts", attempts::STATEMENTS),
    ("check", check::STATEMENTS),
    ("deliveries", deliveries::STATEMENTS),
    ("events", events::STATEMENTS),
    ("leases", leases::STATEMENTS),
    ("listen", listen::STATEMENTS),
    ("meta", meta::STATEMENTS),
    ("nodes", nodes::STATEMENTS),
    ("overdue", overdue::STATEMENTS),
    ("subscriptions", subscriptions::STATEMENTS),
    ("usage", usage::STATEMENTS),
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
