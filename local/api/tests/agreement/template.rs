//! The template as SAM reads it: short tags are written out, `!Ref X` as `{"Ref": "X"}`, and so are merges.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

use crate::read;

/// The whole template.
pub(crate) fn template() -> Value {
    let mut yaml: Yaml = yaml_serde::from_str(&read("template.yaml")).unwrap();
    yaml.apply_merge().unwrap();
    plain(yaml)
}

fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Mapping(fields) => {
            let field = |(name, value): (Yaml, Yaml)| (name.as_str().unwrap().to_owned(), plain(value));
            Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>())
        }
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(plain).collect()),
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let name = if ["Ref", "Condition"].contains(&name) { name.to_owned() } else { format!("Fn::{name}") };
            json!({ name: plain(tagged.value) })
        }
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

/// The resources whose type starts with `kind`, by name.
pub(crate) fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let all = template["Resources"].as_object().unwrap().clone();
    all.into_iter().filter(|(_, resource)| resource["Type"].as_str().unwrap().starts_with(kind)).collect()
}

/// A function of the template.
pub(crate) struct Function {
    /// Its logical id in the template.
    pub(crate) name: String,
    /// Its own properties, without those of `Globals`.
    pub(crate) properties: Value,
    /// Its environment, with that of `Globals`.
    pub(crate) environment: Map<String, Value>,
}

/// All functions by the name of their binary.
pub(crate) fn functions() -> BTreeMap<String, Function> {
    let globals = template()["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap().clone();
    let functions = resources("AWS::Serverless::Function").into_iter().map(|(name, function)| {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned();
        let mut environment = globals.clone();
        environment.extend(function["Properties"]["Environment"]["Variables"].as_object().unwrap().clone());
        (binary, Function { name, properties: function["Properties"].clone(), environment })
    });
    functions.collect()
}

/// The names referred to by `Ref`, `GetAtt`, `Sub` and conditions.
pub(crate) fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("Ref" | "Condition", Value::String(to)) => {
                        found.insert(to.clone());
                    }
                    ("Fn::GetAtt", Value::String(to)) => {
                        found.insert(to.split('.').next().unwrap().to_owned());
                    }
                    ("Fn::Sub", Value::String(text)) => found.extend(substituted(text)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        found.extend(substituted(parts[0].as_str().unwrap()));
                        collect(&parts[1], found);
                    }
                    ("Fn::If", Value::Array(parts)) => {
                        found.insert(parts[0].as_str().unwrap().to_owned());
                        collect(value, found);
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn substituted(text: &str) -> impl Iterator<Item = String> {
    let name = Regex::new(r"\$\{([A-Za-z:]+)").unwrap();
    let names: Vec<String> = name.captures_iter(text).map(|name| name[1].to_owned()).collect();
    names.into_iter()
}

/// The parameters that a value depends on, through conditions too.
pub(crate) fn parameters_of(value: &Value) -> BTreeSet<String> {
    let template = template();
    let mut open: Vec<String> = references(value).into_iter().collect();
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if template["Parameters"].get(&name).is_some() {
            found.insert(name);
        } else if let Some(condition) = template["Conditions"].get(&name) {
            open.extend(references(condition));
        }
    }
    found
}
