//! Settings that can change while a stand-in runs.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The settings with these members replaced. An unknown member is an error.
pub fn changed<S: Serialize + DeserializeOwned>(settings: &S, members: Value) -> serde_json::Result<S> {
    let mut merged = serde_json::to_value(settings)?;
    if let (Some(merged), Value::Object(members)) = (merged.as_object_mut(), members) {
        merged.extend(members);
    }
    serde_json::from_value(merged)
}
