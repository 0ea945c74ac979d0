//! Routes, OpenAPI document and template agree on the API's routes.

use std::collections::{BTreeMap, BTreeSet};

use shared::http::Routes;
use utoipa::openapi::OpenApi;

use crate::{read, template::functions};

/// Method and path of every route in the document.
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
fn every_route_is_documented_and_every_documented_route_is_served() {
    fn check<S>(function: &str, routes: Routes<S>)
    where
        S: Clone + Send + Sync + 'static,
    {
        let served = routes.list().map(|(method, path, _)| (method.as_str().to_lowercase(), path.to_owned()));
        let served: BTreeSet<_> = served.collect();
        assert!(!served.is_empty());
        assert_eq!(served, described(&routes.into_openapi()), "{function}");
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
fn the_committed_document_matches_the_routes() {
    let is_current = read("functions/status/openapi.json") == api::document_text().unwrap();
    assert!(is_current, "run `make schema` and commit functions/status/openapi.json");
}

#[test]
fn each_operation_id_is_unique() {
    let document = api::document().unwrap();
    let paths = document["paths"].as_object().unwrap();
    let names: Vec<&str> = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// The function that the gateway calls for a path and all below it; `$default` for any other path.
type Table = BTreeMap<String, String>;

fn gateway() -> Table {
    let mut routes: BTreeMap<String, String> = BTreeMap::new();
    for (name, function) in functions() {
        let Some(events) = function.properties["Events"].as_object() else { continue };
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
        // `/p` matches neither `/p/` nor the paths below it.
        if prefix != "$default" {
            assert_eq!(routes.remove(&format!("{prefix}/{{proxy+}}")).as_ref(), Some(&function), "{prefix}");
        }
        table.insert(prefix, function);
    }
    assert_eq!(routes, BTreeMap::new());
    table
}

fn called<'a>(table: &'a Table, path: &str) -> &'a str {
    let prefix = table.keys().find(|prefix| path == **prefix || path.starts_with(&format!("{prefix}/")));
    &table[prefix.map_or("$default", String::as_str)]
}

fn prefixes<'a>(table: &'a Table, function: &str) -> Vec<&'a str> {
    table.iter().filter(|(_, called)| *called == function).map(|(path, _)| path.as_str()).collect()
}

#[test]
fn the_gateway_calls_the_function_that_serves_a_route_also_where_older_clients_call_it() {
    fn check<S>(function: &str, routes: &Routes<S>) -> usize {
        let gateway = gateway();
        let mut old = 0;
        for (_, path, former) in routes.list() {
            assert_eq!(called(&gateway, path), function, "{path}");
            if let Some(former) = former {
                assert_eq!(called(&gateway, &former), function, "{former}");
                old += 1;
            }
        }
        old
    }
    let old = [
        check("vehicles", &vehicles::routes()),
        check("services", &services::routes()),
        check("shop", &shop::routes()),
        check("bookings", &bookings::routes()),
        check("staff", &staff::routes()),
        check("payments", &payments::routes()),
    ];
    assert!(old.iter().all(|old| *old > 0), "{old:?}");
    assert_eq!((check("auth", &auth::routes()), check("status", &status::routes())), (0, 0));
}

#[test]
fn the_panel_is_called_for_each_of_its_pages_and_all_of_them_are_below_admin() {
    let table = gateway();
    for route in admin::ROUTES {
        // Its cookie and its headers are meant for these paths alone.
        assert!(route.path == "/admin" || route.path.starts_with("/admin/"), "{}", route.path);
        assert_eq!(called(&table, route.path), "admin", "{}", route.path);
    }
    assert_eq!(prefixes(&table, "admin"), ["/admin"]);
}

#[test]
fn the_pages_of_a_booking_s_link_are_below_one_path() {
    let table = gateway();
    for route in manage::ROUTES {
        assert!(route.path.starts_with("/b/{token}"), "{}", route.path);
        assert_eq!(called(&table, route.path), "manage", "{}", route.path);
    }
    assert_eq!(prefixes(&table, "manage"), ["/b"]);
}

#[test]
fn pages_are_no_part_of_the_api_document() {
    assert!(api::parts().iter().all(|(function, _)| !["admin", "manage"].contains(function)));
    let document = api::document().unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(
        paths.keys().filter(|path| path.starts_with("/admin") || path.starts_with("/b/")).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}
