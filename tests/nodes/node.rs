//! One node: the real binary as a child process.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The version that is tested.
pub(crate) fn this_version() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_prilavok"))
}

pub(crate) struct Node {
    child: Child,
    program: OsString,
    folder: PathBuf,
    database: String,
    variables: Vec<(String, String)>,
    arguments: &'static [&'static str],
    pub(crate) address: String,
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never happens that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a command of a program to its end; answers what it printed.
pub(crate) fn printed(program: &OsStr, arguments: &[&str], database: &str, folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .args(["--database", database, "--data"])
        .arg(folder)
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

impl Node {
    /// Starts a node whose own files are in `folder`; the files of chats are in one that all share.
    pub(crate) fn start(
        program: &OsStr,
        database: &str,
        folder: &Path,
        files: &Path,
        more: &[(&str, &str)],
        arguments: &'static [&'static str],
    ) -> Self {
        let mut variables: Vec<_> = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        variables.push(("PRILAVOK_FILES__LOCATION".to_owned(), files.display().to_string()));
        let (child, address) = run(program, database, folder, &variables, arguments, "127.0.0.1:0");
        Self {
            child,
            program: program.to_owned(),
            folder: folder.to_owned(),
            database: database.to_owned(),
            variables,
            arguments,
            address,
        }
    }

    /// SIGKILL: no handler runs.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the node runs");
        self.child.wait().expect("the node ends");
    }

    /// Stops it as an operator does.
    pub(crate) fn stop(&mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
        let status = self.child.wait().expect("the node ends");
        assert!(status.success(), "{status}");
    }

    /// Stops it, and starts another version in its place.
    pub(crate) fn replace(&mut self, program: &OsStr) {
        self.stop();
        program.clone_into(&mut self.program);
        self.start_again();
    }

    /// Starts it again after it was killed, where it was.
    pub(crate) fn start_again(&mut self) {
        let listen = self.address.trim_start_matches("http://").to_owned();
        (self.child, self.address) = run(
            &self.program,
            &self.database,
            &self.folder,
            &self.variables,
            self.arguments,
            &listen,
        );
    }

    /// The status of a page that anybody may ask for; `None` where nobody answers.
    pub(crate) fn status(&self, path: &str) -> Option<StatusCode> {
        let answer = reqwest::blocking::Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client")
            .get(format!("{}{path}", self.address))
            .send();
        answer.ok().map(|answer| answer.status())
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status("/readyz") == Some(StatusCode::OK)
    }
}

fn run(
    program: &OsStr,
    database: &str,
    folder: &Path,
    variables: &[(String, String)],
    arguments: &[&str],
    listen: &str,
) -> (Child, String) {
    let mut child = Command::new(program)
        .arg("serve")
        .args(arguments)
        .args(["--listen", listen, "--data"])
        .arg(folder)
        .env("PRILAVOK_DATABASE", database)
        .env("PRILAVOK_LOG__FORMAT", "json")
        .env("PRILAVOK_SEARCH__ENABLED", "false")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut lines = lines.map_while(Result::ok);
    let mut said = String::new();
    let address = lines.by_ref().find_map(|line| {
        said.push_str(&line);
        let from = line.find("http://127.0.0.1:")?;
        line[from..].split('"').next().map(str::to_owned)
    });
    let address = address.unwrap_or_else(|| panic!("the node does not start: {said}"));
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
