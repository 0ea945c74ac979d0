//! Imports: none of `shared` points to a storey above, functions do not depend on each other, stand-ins on nothing of ours.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::{files, read};

/// Names at the root of `shared` that are no modules, with the module that each is of.
const REEXPORTS: &[(&str, &str)] = &[
    ("Error", "error"),
    ("Faults", "error"),
    ("Result", "error"),
    ("body", "http"),
    ("routes", "http"),
    ("select_bookings", "bookings"),
];

/// The storey of each module of `shared`, by the comments of `lib.rs`: 0 is the lowest.
fn storeys() -> BTreeMap<String, usize> {
    let mut storeys = BTreeMap::new();
    let mut storey = None;
    let module = Regex::new(r"^(?:pub )?mod (\w+);").unwrap();
    for line in read("shared/src/lib.rs").lines() {
        if line.starts_with("// ") {
            storey = Some(storey.map_or(0, |storey| storey + 1));
        } else if let Some(name) = module.captures(line) {
            storeys.insert(name[1].to_owned(), storey.expect("a comment names the storey before its modules"));
        }
    }
    storeys
}

/// The modules that a file names as `crate::name` or within `use crate::{…};`.
fn imports(source: &str) -> BTreeSet<String> {
    let single = Regex::new(r"\bcrate::(\w+)").unwrap();
    let list = Regex::new(r"(?s)\bcrate::\{(.*?)\};").unwrap();
    let nested = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut names: BTreeSet<String> = single.captures_iter(source).map(|found| found[1].to_owned()).collect();
    for found in list.captures_iter(source) {
        let mut items = found[1].to_owned();
        while nested.is_match(&items) {
            items = nested.replace_all(&items, "").into_owned();
        }
        names.extend(items.split(',').map(|item| identifier(item.trim())).filter(|name| !name.is_empty()));
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// The members of the workspace that a package needs to be built, without its tests.
fn dependencies(package: &str) -> Vec<String> {
    let manifest = read(&format!("{package}/Cargo.toml"));
    let section = manifest.split_once("\n[dependencies]\n").map_or("", |(_, rest)| rest);
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| Some(line.split_once(['.', ' '])?.0.to_owned())).collect()
}

#[test]
fn no_module_of_shared_imports_from_a_storey_above() {
    let storeys = storeys();
    assert_eq!(storeys.values().collect::<BTreeSet<_>>(), BTreeSet::from([&0, &1, &2]));
    let mut upwards = Vec::new();
    let mut seen = 0;
    for (path, source) in files("shared/src") {
        let module = identifier(path.trim_start_matches("shared/src/"));
        let Some(storey) = storeys.get(&module) else { continue };
        for name in imports(&source) {
            let name =
                REEXPORTS.iter().find(|(reexport, _)| *reexport == name).map_or(name.as_str(), |(_, module)| module);
            let above = storeys.get(name).unwrap_or_else(|| panic!("{path} imports crate::{name}, which is no module"));
            seen += 1;
            if above > storey {
                upwards.push(format!("{path} imports {name}"));
            }
        }
    }
    assert_eq!(upwards, Vec::<String>::new());
    assert!(seen > 100, "only {seen} imports were read");
}

#[test]
fn functions_and_stand_ins_are_built_without_each_other() {
    let functions = crate::template::functions().into_keys().map(|name| (format!("functions/{name}"), name));
    let functions: BTreeMap<String, String> = functions.collect();
    let local = ["api", "descope-stand-in", "messages-stand-in", "razorpay-stand-in", "stand-in", "testing", "bench"];
    let stand_ins = ["local/descope-stand-in", "local/messages-stand-in", "local/razorpay-stand-in", "local/stand-in"];
    let ours = |name: &String| functions.values().any(|function| function == name) || local.contains(&name.as_str());
    for package in functions.keys().map(String::as_str).chain(["shared"]) {
        let own: Vec<_> = dependencies(package).into_iter().filter(ours).collect();
        assert_eq!(own, Vec::<String>::new(), "{package}");
    }
    for package in stand_ins {
        let own = dependencies(package).into_iter().filter(|name| name == "shared" || ours(name));
        assert_eq!(own.filter(|name| name != "stand-in").collect::<Vec<_>>(), Vec::<String>::new(), "{package}");
    }
}
