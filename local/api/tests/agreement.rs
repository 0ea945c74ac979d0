//! Routers, document, emulator and template tell the same about the API; code and README the same about its settings.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "test code")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;
use shared::config;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use yaml_serde::Value as Yaml;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// Method and path of every route that a router serves, as its debug form tells them.
fn served(text: &str) -> BTreeSet<(String, String)> {
    let own = text.split("fallback_router").next().unwrap();
    let methods = Regex::new(r"RouteId\((\d+)\): MethodRouter\(MethodRouter \{ ([^}]*), fallback").unwrap();
    let paths: BTreeMap<&str, &str> = Regex::new(r#"RouteId\((\d+)\): "([^"]+)""#)
        .unwrap()
        .captures_iter(own)
        .map(|found| found.extract())
        .map(|(_, [id, path])| (id, path))
        .collect();
    let mut routes = BTreeSet::new();
    for (_, [id, handlers]) in methods.captures_iter(own).map(|found| found.extract()) {
        for handler in handlers.split(", ").filter(|handler| !handler.ends_with(": None")) {
            routes.insert((handler.split(':').next().unwrap().to_owned(), paths[id].to_owned()));
        }
    }
    assert_eq!(paths.len(), methods.captures_iter(own).count(), "the debug form is not what it was");
    routes
}

/// Method and path of every route that is described.
fn described(document: &OpenApi) -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            ("get", &item.get),
            ("post", &item.post),
            ("patch", &item.patch),
            ("put", &item.put),
            ("delete", &item.delete),
        ];
        for (method, _) in operations.into_iter().filter(|(_, operation)| operation.is_some()) {
            routes.insert((method.to_owned(), path.clone()));
        }
    }
    routes
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    fn check<S>(function: &str, routes: OpenApiRouter<S>)
    where
        S: Clone + Send + Sync + 'static,
    {
        let (served_by, document) = routes.split_for_parts();
        let served = served(&format!("{served_by:?}"));
        assert!(!served.is_empty());
        assert_eq!(served, described(&document), "{function}");
    }
    check("vehicles", vehicles::routes());
    check("services", services::routes());
    check("shop", shop::routes());
    check("bookings", bookings::routes());
    check("auth", auth::routes());
    check("staff", staff::routes());
    check("payments", payments::routes());
    check("status", status::routes());
}

#[test]
fn the_committed_document_is_that_of_the_routers() {
    let is_current = read("functions/status/openapi.json") == api::document_text().unwrap();
    assert!(is_current, "run `make schema` and commit functions/status/openapi.json");
}

#[test]
fn each_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(api::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let names: Vec<&str> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// Which function the emulator or the gateway calls for a path and all below it; `$default` for what no route names.
type Table = BTreeMap<String, String>;

fn emulator() -> Table {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let routes = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table().unwrap();
    let of = |path: &str| routes.get(path).map(|function| function.as_str().unwrap());
    let mut table = Table::new();
    for path in routes.keys() {
        let prefix = path.trim_end_matches("/{*rest}").trim_end_matches('/');
        // `{*rest}` matches neither `/p` nor `/p/`, so each prefix needs three lines that agree.
        let function = of(path);
        assert_eq!(of(&format!("{prefix}/")), function, "{path}");
        assert_eq!(of(&format!("{prefix}/{{*rest}}")), function, "{path}");
        let name = if prefix.is_empty() { "$default" } else { prefix };
        assert!(prefix.is_empty() || of(prefix) == function, "{path}");
        table.insert(name.to_owned(), function.unwrap().to_owned());
    }
    table
}

/// The functions of the template by their binary's name.
fn functions() -> BTreeMap<String, Yaml> {
    let template: Yaml = yaml_serde::from_str(&read("template.yaml")).unwrap();
    let resources = template["Resources"].as_mapping().unwrap().values();
    resources
        .filter(|resource| resource["Type"] == "AWS::Serverless::Function")
        .map(|function| {
            let name = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap().to_owned();
            (name, function.clone())
        })
        .collect()
}

fn gateway() -> Table {
    let mut routes: BTreeMap<String, String> = BTreeMap::new();
    for (name, function) in functions() {
        let Some(events) = function["Properties"]["Events"].as_mapping() else { continue };
        for event in events.values() {
            if event["Type"] == "ScheduleV2" {
                continue;
            }
            assert_eq!(event["Type"], "HttpApi");
            let path = event["Properties"]["Path"].as_str();
            if path.is_some() {
                assert_eq!(event["Properties"]["Method"], "ANY");
            }
            let double = routes.insert(path.unwrap_or("$default").to_owned(), name.clone());
            assert_eq!(double, None, "{path:?}");
        }
    }
    let prefixes: Vec<String> = routes.keys().filter(|path| !path.ends_with("/{proxy+}")).cloned().collect();
    let mut table = Table::new();
    for prefix in prefixes {
        let function = routes.remove(&prefix).unwrap();
        // `/p` matches neither `/p/` nor what is below it.
        if prefix != "$default" {
            assert_eq!(routes.remove(&format!("{prefix}/{{proxy+}}")).as_ref(), Some(&function), "{prefix}");
        }
        table.insert(prefix, function);
    }
    assert_eq!(routes, BTreeMap::new());
    table
}

#[test]
fn emulator_and_gateway_call_the_same_function_for_every_path() {
    assert_eq!(emulator(), gateway());
}

#[test]
fn every_route_is_called_in_the_function_that_serves_it() {
    let gateway = gateway();
    for (function, document) in api::parts() {
        for (_, path) in described(&document) {
            let prefix = gateway.keys().find(|prefix| path == **prefix || path.starts_with(&format!("{prefix}/")));
            let called = &gateway[prefix.map_or("$default", String::as_str)];
            assert_eq!(called, function, "{path}");
        }
    }
}

#[test]
fn each_folder_of_functions_is_a_function_of_the_template() {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    let folders: BTreeSet<String> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(functions().into_keys().collect::<BTreeSet<_>>(), folders);
}

#[test]
fn every_variable_is_explained_and_none_that_does_not_exist() {
    let names: BTreeSet<&str> = config::ALL.iter().map(|variable| variable.name()).collect();
    let readme = read("README.md");
    let row = Regex::new(r"(?m)^\| `([A-Z0-9_]+)` \|").unwrap();
    let explained: BTreeSet<&str> = row.captures_iter(&readme).map(|found| found.extract::<1>().1[0]).collect();
    assert_eq!(explained, names);

    let example = read(".env.example");
    let line = Regex::new(r"(?m)^([A-Z0-9_]+)=").unwrap();
    let shown: BTreeSet<&str> = line.captures_iter(&example).map(|found| found.extract::<1>().1[0]).collect();
    // Lambda alone sets how it was started; of the two log levels one is enough.
    let hidden = BTreeSet::from(["AWS_LAMBDA_INITIALIZATION_TYPE", "RUST_LOG"]);
    assert_eq!(shown, &names - &hidden);

    let template: Yaml = yaml_serde::from_str(&read("template.yaml")).unwrap();
    let functions = functions();
    let blocks = functions.values().map(|function| &function["Properties"]).chain([&template["Globals"]["Function"]]);
    for variables in blocks.filter_map(|block| block["Environment"]["Variables"].as_mapping()) {
        for name in variables.keys() {
            assert!(names.contains(name.as_str().unwrap()), "{name:?}");
        }
    }
}
