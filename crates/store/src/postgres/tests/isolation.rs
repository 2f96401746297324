//! No business sees another's rows: every statement names `business_id` for every table that it touches, and every key
//! begins with it. What must be otherwise is listed, with the reason.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use prilavok_test_postgres::Cluster;
use sqlparser::ast::{
    Delete, Expr, FromTable, Insert, Query, Select, SetExpr, Statement, TableFactor, TableObject,
    TableWithJoins, visit_expressions,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::every_statement::STATEMENTS;

/// Tables that belong to no business.
const OF_NOBODY: &[&str] = &["meta", "node", "operator_token", "session", "customer", "erasure"];

/// Statements that look at all businesses, and why.
const OVER_ALL: &[(&str, &str)] = &[
    ("events::OF_ALL", "the stream of all events is the operator's"),
    (
        "events::NEWEST_OF_ALL",
        "the stream of all events is the operator's",
    ),
    (
        "events::NEWS",
        "wakes the listeners of whichever business has news",
    ),
    ("usage::LOAD", "a server that starts takes over all counts"),
    ("usage::FORGET", "a sweep over windows that are over"),
    ("subscriptions::HELD", "a node delivers for all businesses"),
    ("subscriptions::GIVEN_UP", "a metric of the whole store"),
    ("leases::RENEW", "a node delivers for all businesses"),
    (
        "leases::ENABLED",
        "nodes share the subscriptions of all businesses",
    ),
    ("leases::TAKE", "nodes share the subscriptions of all businesses"),
    ("leases::RELEASE", "a node delivers for all businesses"),
    ("credentials::BY_HASH", "whose secret it is says which business"),
    ("disputes::WAITING", "the desk's list is of all businesses"),
    ("disputes::TRAIL", "the trail of all that was done"),
    ("followed::BY_ID", "who follows the store reads all chats"),
    ("registry::BUSINESSES", "the operator's list of businesses"),
    ("meta::FORGET_IDEMPOTENCY", "a sweep over keys that are too old"),
    (
        "overdue::NAMED_FILES",
        "objects of the file store belong to nobody until a message names them",
    ),
    (
        "credentials::BY_HASH",
        "a secret that is presented says whose it is",
    ),
    ("disputes::TRAIL", "the audit trail is the operator's"),
    (
        "taken::MARKS",
        "whoever keeps copies keeps them of all businesses",
    ),
    (
        "taken::AFTER",
        "whoever keeps copies keeps them of all businesses",
    ),
    ("taken::FORGET", "a sweep over what everybody has heard of"),
    ("check::COUNTS", "a check of the whole store"),
    ("check::FILES", "a check of the whole store"),
];

fn parsed(name: &str, sql: &str) -> Statement {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql);
    let mut statements = parsed.unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
    assert_eq!(statements.len(), 1, "{name} is one statement");
    statements.remove(0)
}

/// A scope of a statement, in which tables are named and conditions are about them.
#[derive(Default)]
struct Scope {
    /// Tables by the name that they have in the scope.
    tables: Vec<(String, String)>,
    /// Names whose `business_id` is compared or written; an empty one stands for a bare `business_id`.
    bound: BTreeSet<String>,
}

impl Scope {
    fn table(&mut self, factor: &TableFactor) {
        if let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        {
            let table = name.to_string();
            let alias = alias
                .as_ref()
                .map_or_else(|| table.clone(), |alias| alias.name.value.clone());
            self.tables.push((alias, table));
        }
    }

    fn tables_of(&mut self, from: &[TableWithJoins]) {
        for one in from {
            self.table(&one.relation);
            for join in &one.joins {
                self.table(&join.relation);
                if let Some(on) = condition(&join.join_operator) {
                    self.conditions(on);
                }
            }
        }
    }

    /// Every `business_id` that is said to be one, or one of some.
    fn conditions(&mut self, expr: &Expr) {
        match expr {
            Expr::BinaryOp { left, right, op } => {
                use sqlparser::ast::BinaryOperator::{And, Eq};
                match op {
                    And => {
                        self.conditions(left);
                        self.conditions(right);
                    }
                    Eq => {
                        self.column(left);
                        self.column(right);
                    }
                    _ => {}
                }
            }
            Expr::Nested(inner) => self.conditions(inner),
            Expr::InSubquery {
                expr, negated: false, ..
            }
            | Expr::InList {
                expr, negated: false, ..
            } => {
                self.column(expr);
            }
            _ => {}
        }
    }

    fn column(&mut self, expr: &Expr) {
        match expr {
            Expr::Identifier(name) if name.value == "business_id" => {
                self.bound.insert(String::new());
            }
            Expr::CompoundIdentifier(names)
                if names.last().is_some_and(|name| name.value == "business_id") =>
            {
                self.bound.insert(names[0].value.clone());
            }
            Expr::Tuple(columns) => columns.iter().for_each(|column| self.column(column)),
            _ => {}
        }
    }

    /// Tables of businesses that are touched without naming a business.
    fn unbound(&self, made_here: &BTreeSet<String>) -> Vec<String> {
        let ours = self.tables.iter().filter(|(_, table)| {
            !OF_NOBODY.contains(&table.as_str()) && !made_here.contains(table) && table != "pg_stat_activity"
        });
        let one = self.tables.len() == 1;
        ours.filter(|(alias, _)| !(self.bound.contains(alias) || one && self.bound.contains("")))
            .map(|(_, table)| table.clone())
            .collect()
    }
}

fn condition(operator: &sqlparser::ast::JoinOperator) -> Option<&Expr> {
    use sqlparser::ast::{JoinConstraint, JoinOperator};
    match operator {
        JoinOperator::Join(JoinConstraint::On(on))
        | JoinOperator::Inner(JoinConstraint::On(on))
        | JoinOperator::Left(JoinConstraint::On(on))
        | JoinOperator::LeftOuter(JoinConstraint::On(on)) => Some(on),
        _ => None,
    }
}

/// What a statement touches without naming a business, wherever in it.
fn unbound(statement: &Statement) -> Vec<String> {
    let mut found = Found::default();
    found.statement(statement);
    found.unbound
}

#[derive(Default)]
struct Found {
    /// Names of `WITH` parts, which are no tables.
    made_here: BTreeSet<String>,
    unbound: Vec<String>,
}

impl Found {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update {
                table,
                from,
                selection,
                ..
            } => {
                let mut scope = Scope::default();
                scope.tables_of(std::slice::from_ref(table));
                if let Some(
                    sqlparser::ast::UpdateTableFromKind::AfterSet(from)
                    | sqlparser::ast::UpdateTableFromKind::BeforeSet(from),
                ) = from
                {
                    scope.tables_of(from);
                    self.derived(from);
                }
                selection.iter().for_each(|it| scope.conditions(it));
                self.close(&scope);
                self.subqueries(statement);
            }
            Statement::Delete(Delete { from, selection, .. }) => {
                let mut scope = Scope::default();
                let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = from;
                scope.tables_of(tables);
                selection.iter().for_each(|it| scope.conditions(it));
                self.close(&scope);
                self.subqueries(statement);
            }
            other => panic!("a sort of statement that is not looked into yet: {other}"),
        }
    }

    /// Rows are written with their business, which the columns name.
    fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(table) = &insert.table else {
            panic!("not into a table")
        };
        let table = table.to_string();
        let named = insert.columns.iter().any(|column| column.value == "business_id");
        if !named && !OF_NOBODY.contains(&table.as_str()) {
            self.unbound.push(table);
        }
        insert.source.iter().for_each(|source| self.query(source));
    }

    fn query(&mut self, query: &Query) {
        for part in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.made_here.insert(part.alias.name.value.clone());
            self.query(&part.query);
        }
        self.set(&query.body);
    }

    fn set(&mut self, set: &SetExpr) {
        match set {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(left);
                self.set(right);
            }
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                self.statement(statement);
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select) {
        let mut scope = Scope::default();
        scope.tables_of(&select.from);
        select.selection.iter().for_each(|it| scope.conditions(it));
        self.close(&scope);
        self.derived(&select.from);
        self.subqueries(&select.projection);
        self.subqueries(&select.selection);
    }

    fn derived(&mut self, from: &[TableWithJoins]) {
        for one in from {
            for factor in std::iter::once(&one.relation).chain(one.joins.iter().map(|join| &join.relation)) {
                if let TableFactor::Derived { subquery, .. } = factor {
                    self.query(subquery);
                }
            }
        }
    }

    /// Queries within expressions.
    fn subqueries(&mut self, of: &impl sqlparser::ast::Visit) {
        let mut queries = Vec::new();
        let _ = visit_expressions(of, |expr| {
            match expr {
                Expr::Subquery(query) => queries.push(query.clone()),
                Expr::Exists { subquery, .. } | Expr::InSubquery { subquery, .. } => {
                    queries.push(subquery.clone());
                }
                _ => {}
            }
            ControlFlow::<()>::Continue(())
        });
        for query in queries {
            self.query(&query);
        }
    }

    fn close(&mut self, scope: &Scope) {
        let unbound = scope.unbound(&self.made_here);
        self.unbound.extend(unbound);
    }
}

#[test]
fn every_statement_names_the_business_of_every_table() {
    let excepted: HashMap<_, _> = OVER_ALL.iter().copied().collect();
    let mut unneeded: BTreeSet<_> = excepted.keys().copied().collect();
    let mut wrong = Vec::new();
    for (module, statements) in STATEMENTS {
        for (name, sql) in *statements {
            let name = format!("{module}::{name}");
            // What sets a connection up is no question to a table.
            if sql.starts_with("LISTEN") {
                continue;
            }
            let unbound = unbound(&parsed(&name, sql));
            match (unbound.is_empty(), unneeded.remove(name.as_str())) {
                (false, false) => wrong.push(format!("{name} touches {}", unbound.join(", "))),
                (true, true) => wrong.push(format!("{name} needs no exception")),
                _ => {}
            }
        }
    }
    wrong.extend(unneeded.into_iter().map(|name| format!("{name} does not exist")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_statement_that_forgets_the_business_is_found() {
    for (forgets, sql) in [
        (
            false,
            "SELECT 1 FROM chat WHERE business_id = $1 AND chat_id = $2",
        ),
        (true, "SELECT 1 FROM chat WHERE chat_id = $1"),
        (true, "SELECT 1 FROM chat WHERE business_id = $1 OR chat_id = $2"),
        (true, "SELECT business_id FROM chat WHERE chat_id = $1"),
        (
            true,
            "SELECT 1 FROM chat c JOIN message m ON m.chat_id = c.chat_id WHERE c.business_id = $1",
        ),
        (
            false,
            "SELECT 1 FROM chat c JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             WHERE c.business_id = $1",
        ),
        (
            true,
            "SELECT 1 FROM chat WHERE business_id = $1 AND chat_id IN (SELECT chat_id FROM message)",
        ),
        (true, "SELECT (SELECT count(*) FROM message)"),
        (true, "UPDATE chat SET status = 'NEW' WHERE chat_id = $1"),
        (
            false,
            "UPDATE chat SET status = 'NEW' WHERE business_id = $1 AND chat_id = $2",
        ),
        (true, "DELETE FROM event WHERE event_id < $1"),
        (true, "INSERT INTO seen (chat_id, message_id) VALUES ($1, $2)"),
        (
            true,
            "WITH old AS (DELETE FROM event WHERE at < $1 RETURNING event_id) SELECT count(*) FROM old",
        ),
        (false, "SELECT number FROM meta WHERE name = 'proof'"),
    ] {
        assert_eq!(!unbound(&parsed(sql, sql)).is_empty(), forgets, "{sql}");
    }
}

/// Keys that do not begin with the business, and why.
const OTHER_KEYS: &[(&str, &str)] = &[
    ("meta_pkey", "belongs to no business"),
    ("node_pkey", "belongs to no business"),
    ("operator_token_pkey", "belongs to no business"),
    ("session_pkey", "belongs to no business"),
    ("operator_token_secret_hash_key", "belongs to no business"),
    ("customer_pkey", "customers are known to all businesses"),
    ("erasure_pkey", "customers are erased in all businesses"),
];

#[test]
fn every_key_begins_with_the_business() {
    let database = super::database();
    let keys = Cluster::shared().sql(
        &database,
        "SELECT i.indexrelid::regclass, a.attname FROM pg_index i
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
         WHERE i.indisunique",
    );
    let others: BTreeSet<_> = keys
        .lines()
        .filter_map(|line| line.split_once('|'))
        .filter(|(_, first)| *first != "business_id")
        .map(|(key, _)| key)
        .collect();
    let listed: BTreeSet<_> = OTHER_KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(others, listed);
    let keyless = Cluster::shared().sql(
        &database,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)",
    );
    assert_eq!(keyless, "", "every table has a primary key");
}

#[test]
fn foreign_keys_stay_within_a_business() {
    let database = super::database();
    let wrong = Cluster::shared().sql(
        &database,
        "SELECT conname FROM pg_constraint k WHERE contype = 'f' AND (
             (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = k.conkey[1]) <> 'business_id'
             OR (SELECT attname FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = k.confkey[1]) <> 'business_id')",
    );
    assert_eq!(wrong, "");
}
