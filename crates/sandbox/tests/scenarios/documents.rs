//! The JSON Schema, the shipped files and the page that describes them keep up with the code.

use prilavok_sandbox::scenario::{SHIPPED, Scenario, scenario_schema};
use serde_json::Value;

use crate::shop::repository;

fn read(name: &str) -> String {
    std::fs::read_to_string(repository(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

#[test]
fn the_shipped_schema_is_what_the_code_yields() {
    let schema = serde_json::to_string_pretty(&scenario_schema()).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(repository("schemas/scenario.schema.json"), &schema).expect("written");
    }
    assert!(
        read("schemas/scenario.schema.json") == schema,
        "write it anew: UPDATE_SCHEMA=1 cargo test -p prilavok-sandbox schema"
    );
}

#[test]
fn every_shipped_scenario_is_right_and_passes_the_schema() {
    let schema = jsonschema::validator_for(&scenario_schema()).expect("a schema");
    let mut files: Vec<_> = std::fs::read_dir(repository("scenarios"))
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    files.sort();
    let mut shipped: Vec<_> = SHIPPED.iter().map(|(name, _)| format!("{name}.yaml")).collect();
    shipped.sort();
    assert_eq!(files, shipped);
    for (name, text) in SHIPPED {
        let scenario = Scenario::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name(), *name);
        let errors: Vec<_> = schema
            .iter_errors(&yaml(text))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = jsonschema::validator_for(&scenario_schema()).expect("a schema");
    let right = "title: T\ncustomers: { anna: А }\nsteps: [ customer: { about: anna, says: Б } ]\n";
    assert!(schema.is_valid(&yaml(right)));
    for (from, to) in [
        ("says: Б", "say: Б"),
        ("says: Б", "says: \"\""),
        ("customer:", "buyer:"),
        ("about: anna, ", ""),
        ("title: T\n", ""),
        ("]\n", "]\nexpect: [ status: { about: anna, is: DONE } ]"),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert!(Scenario::parse("wrong", &wrong).is_err(), "{wrong}");
        assert!(!schema.is_valid(&yaml(&wrong)), "{wrong}");
    }
}

/// The fenced blocks of YAML in the page.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap_or_default())
        .collect()
}

#[test]
fn the_examples_of_the_page_are_right() {
    let page = read("docs/scenarios.md");
    let (whole, parts): (Vec<_>, Vec<_>) = examples(&page)
        .into_iter()
        .partition(|text| text.starts_with("title:"));
    assert!(!whole.is_empty() && !parts.is_empty());
    for text in &whole {
        Scenario::parse("docs/scenarios.md", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    // What is no whole scenario is a part of the first one's.
    for part in &parts {
        let kept = whole[0].split_inclusive('\n').collect::<Vec<_>>();
        let replaced: Vec<_> = part.lines().filter_map(|line| line.strip_suffix(':')).collect();
        let names = [
            "customers",
            "orders",
            "returns",
            "steps",
            "rules",
            "expect",
            "faults",
        ];
        let mut text = String::new();
        let mut skipping = false;
        for line in kept {
            if !line.starts_with(' ') {
                let name = line.split(':').next().unwrap_or_default();
                skipping = names.contains(&name) && replaced.contains(&name);
            }
            if !skipping {
                text.push_str(line);
            }
        }
        text.push_str(part);
        Scenario::parse("docs/scenarios.md", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

#[test]
fn the_page_names_every_shipped_scenario_and_every_field() {
    let page = read("docs/scenarios.md");
    for (name, _) in SHIPPED {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    let schema = scenario_schema();
    let mut fields = Vec::new();
    properties(&schema, &mut fields);
    assert!(fields.len() > 30, "{fields:?}");
    for field in fields {
        let described = [format!("`{field}`"), format!("`{field}:"), format!("- {field}:")];
        assert!(
            described.iter().any(|text| page.contains(text)),
            "`{field}` is not described"
        );
    }
}

fn properties(value: &Value, names: &mut Vec<String>) {
    if let Some(properties) = value.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| properties(value, names)),
        Value::Array(items) => items.iter().for_each(|value| properties(value, names)),
        _ => {}
    }
}
