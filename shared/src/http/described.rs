//! The schema of a request body: descriptions of fields from the type, rules from its reader.
//!
//! A handler documents its body as `request_body = Json<T>`. The fields that `T::read` asks for (names, lengths, which
//! are required) are recorded and laid over the schema that `ToSchema` derives, so that the two cannot disagree.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Map, Value};
use utoipa::{
    __dev::ComposeSchema,
    ToSchema,
    openapi::{RefOr, Schema},
};

use super::{Json, Read, fields::Fields};

/// The component name of every body; the document leaves it out.
pub const BODY: &str = "Body";

impl<T: Read + ComposeSchema> ComposeSchema for Json<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let derived = T::compose(Vec::new());
        let Ok(Value::Object(schema)) = serde_json::to_value(&derived) else { return derived };
        let mut fields = Fields::probe();
        let _ = T::read(&mut fields);
        serde_json::from_value(Value::Object(overlaid(schema, &fields))).unwrap_or(derived)
    }
}

impl<T: Read + ToSchema + ComposeSchema> ToSchema for Json<T> {
    fn name() -> Cow<'static, str> {
        BODY.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

fn overlaid(mut schema: Map<String, Value>, fields: &Fields) -> Map<String, Value> {
    let mut properties = match schema.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    let described: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let read: BTreeSet<&str> = fields.asked.iter().map(|asked| asked.name.as_str()).collect();
    assert_eq!(described, read, "the fields that are described, and those that are read");
    let required: Vec<&str> = fields.asked.iter().filter(|a| a.is_required).map(|asked| asked.name.as_str()).collect();
    schema.insert("required".to_owned(), required.into());
    for asked in &fields.asked {
        if let (Some(Value::Object(property)), Value::Object(rules)) = (properties.get_mut(&asked.name), &asked.rules) {
            property.extend(rules.clone());
        }
    }
    schema.insert("properties".to_owned(), properties.into());
    if schema.get("required").is_some_and(|names| names.as_array().is_some_and(Vec::is_empty)) {
        schema.remove("required");
    }
    schema
}
