//! `deploy/citus.sql` and the schema: what divides the tables names every one of them once, and in an order that Citus takes.

use std::collections::{BTreeSet, HashMap};

use prilavok_test_postgres::Cluster;

const SCRIPT: &str = include_str!("../../../../../deploy/citus.sql");

/// Where a table lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    OnEveryMachine,
    OnTheCoordinator,
    ByBusiness,
}

/// The tables that the script places, in its order.
fn placed() -> Vec<(&'static str, Lies)> {
    let mut placed = Vec::new();
    for line in SCRIPT.lines() {
        let Some((call, values)) = line.strip_prefix("SELECT ").and_then(|call| call.split_once('(')) else {
            continue;
        };
        let texts: Vec<_> = values.split('\'').skip(1).step_by(2).collect();
        let lies = match call {
            "create_reference_table" => Lies::OnEveryMachine,
            "citus_add_local_table_to_metadata" => Lies::OnTheCoordinator,
            "create_distributed_table" => {
                assert_eq!(texts[1], "business_id", "{line}");
                Lies::ByBusiness
            }
            _ => continue,
        };
        placed.push((texts[0], lies));
    }
    placed
}

fn lines(sql: &str) -> Vec<String> {
    let answer = Cluster::shared().sql(&super::database(), sql);
    answer.lines().map(str::to_owned).collect()
}

#[test]
fn every_table_is_placed_once() {
    let placed = placed();
    let names: BTreeSet<_> = placed.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(names.len(), placed.len(), "none is placed twice");
    let there = lines("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(names, there.into_iter().collect());
}

#[test]
fn a_table_comes_after_those_that_it_refers_to_and_lies_where_it_can_see_them() {
    let placed = placed();
    let place = |table: &str| {
        placed
            .iter()
            .position(|(name, _)| *name == table)
            .expect("placed")
    };
    let references = lines(
        "SELECT DISTINCT conrelid::regclass || '|' || confrelid::regclass FROM pg_constraint WHERE contype = 'f'",
    );
    assert!(!references.is_empty());
    for reference in references {
        let (from, to) = reference.split_once('|').expect("two tables");
        assert!(place(to) < place(from), "{from} refers to {to}");
        let (from_lies, to_lies) = (placed[place(from)].1, placed[place(to)].1);
        // What everybody has can be referred to from everywhere, the rest only from beside it.
        assert!(
            to_lies == Lies::OnEveryMachine || to_lies == from_lies,
            "{from} refers to {to}"
        );
    }
}

#[test]
fn what_is_divided_is_unique_within_a_business_only() {
    let divided: HashMap<_, _> = placed().into_iter().collect();
    let unique = lines(
        "SELECT i.indrelid::regclass || '|' || i.indexrelid::regclass || '|' || a.attname FROM pg_index i
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace",
    );
    assert!(!unique.is_empty());
    for index in unique {
        let [table, name, first]: [&str; 3] = index
            .split('|')
            .collect::<Vec<_>>()
            .try_into()
            .expect("three parts");
        if divided[table] == Lies::ByBusiness {
            assert_eq!(first, "business_id", "{name}");
        }
    }
}

#[test]
fn the_functions_that_it_changes_are_those_of_the_schema() {
    let there =
        lines("SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace");
    let there: BTreeSet<_> = there.iter().map(|it| it.replace(",", ", ")).collect();
    for line in SCRIPT.lines() {
        if let Some(call) = line.strip_prefix("SELECT create_distributed_function('") {
            let name = call.trim_end_matches("');");
            assert!(there.contains(name), "{name} is none of {there:?}");
        } else if let Some(rest) = line.strip_prefix("ALTER FUNCTION ") {
            let name = rest.trim_end_matches(" IMMUTABLE;");
            assert!(there.contains(name), "{name} is none of {there:?}");
        } else if let Some(rest) = line.strip_prefix("CREATE OR REPLACE FUNCTION ") {
            let name = rest.split(" RETURNS").next().expect("a name");
            assert!(there.contains(name), "{name} is none of {there:?}");
        }
    }
}
