//! The OpenAPI document as the tests use it: operations, examples, and the check of an answer.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// An operation of the document.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    document: Value,
    operation: Value,
}

pub(crate) fn operation(document: &Value, id: &str) -> Operation {
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["operationId"] == id {
                return Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    document: document.clone(),
                    operation: operation.clone(),
                };
            }
        }
    }
    panic!("{id} is not documented");
}

/// The ids of all operations.
pub(crate) fn operations(document: &Value) -> BTreeSet<String> {
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    operations.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect()
}

impl Operation {
    /// The schema of the JSON body, if the operation has one.
    pub(crate) fn body(&self) -> Option<Value> {
        let schema = self.operation["requestBody"]["content"]["application/json"]["schema"].clone();
        let name = schema["$ref"].as_str()?.rsplit('/').next()?.to_owned();
        Some(self.document["components"]["schemas"][name].clone())
    }

    /// The example of a body that has no schema of its own.
    pub(crate) fn raw_example(&self) -> String {
        self.operation["requestBody"]["content"]["application/json"]["example"].to_string()
    }

    pub(crate) fn example(&self) -> Value {
        self.body().map(|body| body["example"].clone()).unwrap_or_default()
    }

    /// The names of the body's properties; of the required ones only, if `only_required`.
    pub(crate) fn fields(&self, only_required: bool) -> BTreeSet<String> {
        let Some(body) = self.body() else { return BTreeSet::new() };
        let required = body["required"].as_array().into_iter().flatten();
        if only_required {
            return required.map(|name| name.as_str().unwrap().to_owned()).collect();
        }
        body["properties"].as_object().unwrap().keys().cloned().collect()
    }

    /// The names of the query's parameters.
    pub(crate) fn query(&self) -> BTreeSet<String> {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|parameter| parameter["in"] == "query");
        of_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Checks an answer against the document: reports a missing header, an undocumented key, a value of another form.
    pub(crate) fn check(&self, answer: &testing::Answer) -> Result<(), String> {
        let status = answer.status.to_string();
        let response = self.operation["responses"].get(&status).unwrap_or(&self.operation["responses"]["default"]);
        for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            let is_rare = name == "Idempotency-Replayed" || (name == "Retry-After" && answer.status != 429);
            if !is_rare && answer.header(&name.to_lowercase()).is_empty() {
                return Err(format!("{status} has no {name}"));
            }
        }
        let Some(schema) = response["content"]["application/json"].get("schema") else { return Ok(()) };
        let mut schemas = self.document["components"]["schemas"].clone();
        for (name, schema) in self.document["components"]["schemas"].as_object().unwrap() {
            schemas[format!("{name}{STRICT}")] = strict(schema.clone(), false);
        }
        let whole = json!({ "components": { "schemas": schemas }, "allOf": [strict(schema.clone(), false)] });
        let validator: Validator = jsonschema::draft202012::new(&whole).map_err(|error| error.to_string())?;
        let faults: Vec<String> =
            validator.iter_errors(&answer.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if faults.is_empty() { Ok(()) } else { Err(format!("{}\n{}", faults.join("\n"), answer.text)) }
    }
}

/// The suffix of a component that allows no undocumented key.
const STRICT: &str = "_strict";

/// The same schema, without undocumented keys. A part of a composed schema still allows the keys of the other parts.
fn strict(value: Value, is_part: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let is_closed = fields.contains_key("allOf") || (fields.contains_key("properties") && !is_part);
            let mut strict: Map<_, _> = fields
                .into_iter()
                .map(|(key, value)| match value {
                    Value::String(target) if key == "$ref" && !is_part => (key, format!("{target}{STRICT}").into()),
                    value => {
                        let are_parts = key == "allOf";
                        (key, strict(value, are_parts))
                    }
                })
                .collect();
            if is_closed {
                strict.insert("unevaluatedProperties".to_owned(), false.into());
            }
            Value::Object(strict)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| strict(item, is_part)).collect()),
        other => other,
    }
}
