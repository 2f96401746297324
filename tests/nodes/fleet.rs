//! Three nodes, a load balancer before them and a database behind, with a business whose chats are written into.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use prilavok_test_postgres::Cluster;
use tempfile::TempDir;

use crate::a_business;
use crate::balancer::Balancer;
use crate::node::{self, Node};

pub(crate) struct Fleet {
    pub(crate) nodes: Vec<Node>,
    pub(crate) balancer: Balancer,
    pub(crate) shop: Shop,
    pub(crate) database: String,
    folder: TempDir,
}

/// What callers need to know.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) operator: String,
    pub(crate) key: String,
    pub(crate) chats: Vec<i64>,
}

impl Fleet {
    /// Three nodes on a new database of the cluster, and a business with so many chats.
    pub(crate) fn on(cluster: &Cluster, chats: usize) -> Self {
        let url = cluster.url(&cluster.new_database());
        Self::of(&[&url, &url, &url], &url, chats, &[])
    }

    /// A node for each URL, all of which lead to the database at `database`.
    pub(crate) fn of(urls: &[&str], database: &str, chats: usize, variables: &[(&str, &str)]) -> Self {
        Self::with(
            node::this_version(),
            urls,
            database,
            chats,
            variables,
            &["--no-limits"],
        )
    }

    /// Three nodes that limit calls.
    pub(crate) fn limited(database: &str, chats: usize) -> Self {
        Self::with(node::this_version(), &[database; 3], database, chats, &[], &[])
    }

    /// Three nodes of another version.
    pub(crate) fn of_version(program: &OsStr, database: &str, chats: usize) -> Self {
        Self::with(program, &[database; 3], database, chats, &[], &["--no-limits"])
    }

    fn with(
        program: &OsStr,
        urls: &[&str],
        database: &str,
        chats: usize,
        variables: &[(&str, &str)],
        arguments: &'static [&'static str],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let files = folder.path().join("files");
        let own = |number: usize| -> PathBuf { folder.path().join(format!("node{number}")) };
        let start = |(number, url): (usize, &&str)| {
            Node::start(program, url, &own(number), &files, variables, arguments)
        };
        let nodes: Vec<_> = urls.iter().enumerate().map(start).collect();
        let shop = set_up(
            program,
            &nodes[0].address,
            database,
            &folder.path().join("commands"),
            chats,
        );
        Self {
            balancer: Balancer::before(&nodes, folder.path()),
            nodes,
            shop,
            database: database.to_owned(),
            folder,
        }
    }

    /// `prilavok check` finds nothing.
    pub(crate) fn check(&self) {
        self.check_with(node::this_version());
    }

    /// That of another version finds nothing.
    pub(crate) fn check_with(&self, program: &OsStr) {
        let files = self.folder.path().join("files").display().to_string();
        let commands = self.folder.path().join("commands");
        node::printed(program, &["check", "--files", &files], &self.database, &commands);
    }
}

fn set_up(program: &OsStr, address: &str, database: &str, commands: &Path, chats: usize) -> Shop {
    let operator = node::printed(program, &["operator-token", "create"], database, commands);
    Shop {
        chats: a_business::with_chats(address, &operator, chats),
        key: node::printed(program, &a_business::CREATE_KEY, database, commands),
        operator,
    }
}
