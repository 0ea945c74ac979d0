//! Completes the merged OpenAPI document of the handlers, so that clients can be generated from it.
#![expect(clippy::indexing_slicing, reason = "an index into a JSON value never panics: it is null where nothing is")]

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};
use shared::{http::BODY, idempotency::LONGEST_KEY};

type Object = Map<String, Value>;

/// Adds the parts common to all operations (failures, headers, security), and replaces repeated schemas by references.
pub(crate) fn published(mut document: Value) -> Value {
    document["info"] = info();
    document["servers"] = servers();
    document["tags"] = tags();
    let paths = take(&mut document["paths"]);
    let paths = paths.into_iter().map(|(path, mut item)| {
        for operation in item.as_object_mut().into_iter().flat_map(Object::values_mut) {
            complete(operation);
        }
        let is_whole = path == "/" || path == "/api/docs/{file}";
        (if is_whole { path } else { path + "/" }, item)
    });
    document["paths"] = Value::Object(paths.collect());
    let schemas = bodies_unmarked(take(&mut document["components"]["schemas"]));
    let mut document = without_marks(document);
    let mut referring = Object::new();
    for (name, schema) in &schemas {
        referring.insert(name.clone(), parts_referring(schema.clone(), &schemas));
    }
    document["paths"] = referring_to(document["paths"].take(), &schemas);
    document["components"] = json!({
        "schemas": used(&document["paths"], referring), "headers": headers(), "securitySchemes": security_schemes(),
    });
    document
}

fn info() -> Value {
    json!({
        "title": "RepairMyBike",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "Bookings for a bike and scooter repair shop",
        "description":
            "Every path answers with and without its trailing slash. Money is in rupees, as a string with two places \
             unless a field says otherwise. Dates and times of appointments are on the shop's clock; moments are UTC. Unknown \
             fields of a body are ignored.",
        "license": { "name": "Proprietary", "identifier": "LicenseRef-Proprietary" },
    })
}

fn servers() -> Value {
    json!([
        { "url": "/", "description": "The server of this document" },
        {
            "url": "https://{api}.execute-api.{region}.amazonaws.com",
            "description": "A deployment without a domain of its own",
            "variables": {
                "api": { "default": "api", "description": "The id of the HTTP API" },
                "region": { "default": "ap-south-1" },
            },
        },
    ])
}

fn tags() -> Value {
    json!([
        { "name": "Catalogue", "description": "Which machines the shop repairs, and what each service costs for them. Public, cached." },
        { "name": "Shop", "description": "Where the shop is and when it is open. Public, cached." },
        { "name": "Bookings", "description": "A customer looks for a free slot, books it, moves it, cancels it." },
        { "name": "Payments", "description": "Paying a booking online through Razorpay." },
        { "name": "Accounts", "description": "Registering, signing in by password, profile and sessions." },
        { "name": "One-time codes", "description": "Codes that prove a number or address, and sign in with it." },
        { "name": "Staff", "description": "What the shop does with its bookings. Needs a staff key, or the session of a user with a staff role." },
        { "name": "Status", "description": "Whether the system is well, and this document." },
    ])
}

fn security_schemes() -> Value {
    json!({
        "session": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The `session_token` of a sign-in. The header `X-Session-Token` works as well.",
        },
        "staff_key": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of the staff." },
        "booking_token": {
            "type": "apiKey", "in": "header", "name": "X-Booking-Token",
            "description": "The `access_token` that the creation of a booking answered.",
        },
    })
}

fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "X-Request-Id": text("Joins the answer with the log. The caller's own if it sent one."),
        "ETag": text("Send it back as `If-None-Match`."),
        "Cache-Control": text("How long the answer may be reused."),
        "WWW-Authenticate": text("`Bearer`."),
        "Idempotency-Replayed": text("`true` if this is the first answer again."),
        "Retry-After": { "description": "Seconds until the next try may pass. Only with 429.", "schema": { "type": "integer", "minimum": 1 } },
    })
}

/// Adds the parts common to all operations, and the headers that follow from an operation's parameters and statuses.
fn complete(operation: &mut Value) {
    let mut is_keyed = false;
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter["name"] == "Idempotency-Key" {
            is_keyed = true;
            parameter["schema"] = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_KEY });
        }
    }
    let Some(operation) = operation.as_object_mut() else { return };
    operation.entry("security").or_insert_with(|| json!([]));
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
    let is_flat = responses.values().any(|response| response.to_string().contains("/AuthErrorBody\""));
    let body = if is_flat { "AuthErrorBody" } else { "ErrorBody" };
    let body = format!("#/components/schemas/{body}");
    let failure = json!({ "application/json": { "schema": { "$ref": body } } });
    responses.insert("default".to_owned(), json!({ "description": "Any failure.", "content": failure }));
    let is_cached = responses.contains_key("304");
    for (status, response) in responses.iter_mut() {
        if response["description"].as_str().is_none_or(str::is_empty) {
            response["description"] = reason(status).into();
        }
        let mut names = vec!["X-Request-Id"];
        names.extend(match status.as_str() {
            "200" | "304" if is_cached => &["ETag", "Cache-Control"][..],
            "200" | "201" if is_keyed => &["Idempotency-Replayed"],
            "401" => &["WWW-Authenticate"],
            "429" | "default" => &["Retry-After"],
            _ => &[],
        });
        let reference = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
        response["headers"] = Value::Object(names.into_iter().map(reference).collect());
    }
}

/// The description of a response for which the handler has none; OpenAPI requires one.
fn reason(status: &str) -> &'static str {
    status.parse().ok().and_then(|status: StatusCode| status.canonical_reason()).unwrap_or_default()
}

/// Renames each `Body_T` to `T`, in place of the derived schema: a body has the fields and rules of its reader.
fn bodies_unmarked(mut schemas: Object) -> Object {
    let mark = format!("{BODY}_");
    let marked: Vec<String> = schemas.keys().filter(|name| name.starts_with(&mark)).cloned().collect();
    for name in marked {
        if let (Some(body), Some(plain)) = (schemas.remove(&name), name.strip_prefix(&mark)) {
            schemas.insert(plain.to_owned(), body);
        }
    }
    schemas
}

fn without_marks(document: Value) -> Value {
    each_reference(document, &|name| name.strip_prefix(&format!("{BODY}_")).unwrap_or(name).to_owned())
}

fn each_reference(value: Value, rename: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| match &value {
                Value::String(target) if key == "$ref" => {
                    let name = target.strip_prefix("#/components/schemas/");
                    let target = name.map_or_else(|| target.clone(), |name| reference_to(&rename(name)));
                    (key, target.into())
                }
                _ => (key, each_reference(value, rename)),
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(|item| each_reference(item, rename)).collect(),
        other => other,
    }
}

fn reference_to(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// Replaces each inlined copy of a component by a reference: a generic type repeats its arguments, and a generated
/// client would get duplicate types.
fn referring_to(value: Value, schemas: &Object) -> Value {
    let known =
        |schema: &Value| schema.is_object() && (schema.get("properties").is_some() || schema.get("enum").is_some());
    if known(&value)
        && let Some((name, _)) = schemas.iter().find(|(_, schema)| **schema == value)
    {
        return json!({ "$ref": reference_to(name) });
    }
    parts_referring(value, schemas)
}

fn parts_referring(value: Value, schemas: &Object) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, referring_to(value, schemas))).collect(),
        Value::Array(items) => items.into_iter().map(|item| referring_to(item, schemas)).collect(),
        other => other,
    }
}

/// The components that the paths refer to, directly or through others.
fn used(paths: &Value, mut schemas: Object) -> Value {
    let mut found = BTreeMap::new();
    let mut wanted = vec![paths.clone()];
    while let Some(value) = wanted.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(name) = fields.get("$ref").and_then(Value::as_str)
                    && let Some(name) = name.strip_prefix("#/components/schemas/")
                    && let Some(schema) = schemas.remove(name)
                {
                    wanted.push(schema.clone());
                    found.insert(name.to_owned(), schema);
                }
                wanted.extend(fields.into_values());
            }
            Value::Array(items) => wanted.extend(items),
            _ => {}
        }
    }
    json!(found)
}

fn take(value: &mut Value) -> Object {
    match value.take() {
        Value::Object(fields) => fields,
        _ => Object::new(),
    }
}
