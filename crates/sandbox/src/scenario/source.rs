//! Where scenarios come from: a file, a text, or those that are shipped.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use prilavok_domain::message::MAX_FILE_BYTES;
use serde_path_to_error::Segment;
use serde_saphyr::{Location, MessageFormatter, UserMessageFormatter};

use super::check;
use super::script::Script;
use super::shipped::SHIPPED;

/// What `sends` calls the picture that is always at hand.
pub(super) const PICTURE: &str = "picture";

/// A scenario that was read and found right.
#[derive(Debug, Clone)]
pub struct Scenario {
    name: String,
    pub(super) script: Arc<Script>,
    /// What it sends, by the names that it calls the files.
    pub(super) files: Arc<BTreeMap<String, Bytes>>,
}

/// What is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    /// The file, or what the text is called.
    pub source_name: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from one; zero where it is about the file as a whole.
    pub line: u64,
    /// The column, from one.
    pub column: u64,
    /// The field, such as `steps[2].reply.within`; empty where it is about the file as a whole.
    pub field: String,
    /// The rule that is broken.
    pub rule: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            f.write_str(&self.source_name)?;
            if problem.line > 0 {
                write!(f, ":{}:{}", problem.line, problem.column)?;
            }
            if !problem.field.is_empty() {
                write!(f, ": {}", problem.field)?;
            }
            write!(f, ": {}", problem.rule)?;
        }
        Ok(())
    }
}

impl Problem {
    pub(super) fn at(location: Location, field: String, rule: String) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
            field,
            rule,
        }
    }
}

impl Scenario {
    /// Reads a scenario from a text; `name` is what errors and reports call it. It sends no file but `picture`.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        Self::checked(name, name, text, None)
    }

    /// Reads a scenario from a file, and the files that it sends.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError {
            source_name: shown.clone(),
            problems: vec![Problem {
                line: 0,
                column: 0,
                field: String::new(),
                rule: format!("cannot be read: {error}"),
            }],
        })?;
        let name = path
            .file_stem()
            .map_or(shown.clone(), |stem| stem.to_string_lossy().into_owned());
        Self::checked(&name, &shown, &text, Some(path.parent().unwrap_or(Path::new(""))))
    }

    /// A scenario that comes with Prilavok.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let (name, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
        let scenario = Self::parse(name, text);
        // A test reads every one of them.
        Some(scenario.expect("what is shipped is right"))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn title(&self) -> &str {
        self.script.title.0.as_str()
    }

    /// Rules of faults that are to hold while it is played, for its business. Whoever owns the director knows
    /// what they mean.
    #[must_use]
    pub fn faults(&self) -> &[serde_json::Value] {
        &self.script.faults
    }

    fn checked(name: &str, shown: &str, text: &str, folder: Option<&Path>) -> Result<Self, ScenarioError> {
        let wrong = |problems| ScenarioError {
            source_name: shown.to_owned(),
            problems,
        };
        let script = deserialize(text).map_err(|problem| wrong(vec![problem]))?;
        let mut checked = check::check(&script);
        let mut files = BTreeMap::new();
        for (field, sent) in checked.sends {
            match content(&sent.value, folder) {
                Ok(content) => _ = files.insert(sent.value.clone(), content),
                Err(rule) => checked.problems.push(Problem::at(sent.referenced, field, rule)),
            }
        }
        if !checked.problems.is_empty() {
            checked
                .problems
                .sort_by_key(|problem| (problem.line, problem.column));
            return Err(wrong(checked.problems));
        }
        Ok(Self {
            name: name.to_owned(),
            script: Arc::new(script),
            files: Arc::new(files),
        })
    }
}

fn deserialize(text: &str) -> Result<Script, Problem> {
    let mut field = String::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = shown(error.path());
            error.into_inner()
        })
    });
    read.map_err(|error| {
        let rule = UserMessageFormatter.format_message(error.without_snippet());
        let location = error.location().unwrap_or(Location::UNKNOWN);
        Problem::at(location, field, rule.into_owned())
    })
}

/// The path of a field, without the steps that a value's location adds to it.
fn shown(path: &serde_path_to_error::Path) -> String {
    let mut shown = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => shown.push_str(&format!("[{index}]")),
            Segment::Map { key } if key == "value" => {}
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !shown.is_empty() {
                    shown.push('.');
                }
                shown.push_str(name);
            }
            Segment::Unknown => {}
        }
    }
    shown
}

/// What is sent as `name`.
fn content(name: &str, folder: Option<&Path>) -> Result<Bytes, String> {
    if name == PICTURE {
        return Ok(Bytes::from_static(include_bytes!("picture.png")));
    }
    let folder = folder.ok_or_else(|| {
        format!("`{name}` is a file, and this scenario comes from none: it can send `{PICTURE}` only")
    })?;
    let path = folder.join(name);
    let cannot_be_read = |error| format!("`{}` cannot be read: {error}", path.display());
    let size = std::fs::metadata(&path).map_err(cannot_be_read)?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("`{name}` has more than {} MiB", MAX_FILE_BYTES >> 20));
    }
    std::fs::read(&path).map(Bytes::from).map_err(cannot_be_read)
}
