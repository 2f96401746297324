//! What the interface does not show: the statements and the schema.

mod citus;
mod every_statement;
mod isolation;

use prilavok_test_postgres::Cluster;

/// A database with the newest schema; nobody is connected to it.
fn database() -> String {
    let database = Cluster::shared().new_database();
    for step in super::open::MIGRATIONS {
        Cluster::shared().sql(&database, step);
    }
    database
}
