//! The fields that a reader asks for, of which the API document is made.

use serde_json::Value;

/// A field that a reader has asked for.
#[derive(Debug)]
pub(in crate::http) struct AskedField {
    pub(in crate::http) name: String,
    pub(in crate::http) is_required: bool,
    /// In JSON Schema.
    pub(in crate::http) rules: Value,
}

#[cfg(feature = "openapi")]
thread_local! {
    static READ: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// The fields of bodies and queries that were read on this thread since the last call; a test compares them with the documented ones.
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub fn fields_read() -> Vec<String> {
    READ.take()
}

#[cfg(feature = "openapi")]
pub(in crate::http) fn record(asked: &[AskedField]) {
    READ.with_borrow_mut(|read| read.extend(asked.iter().map(|asked| asked.name.clone())));
}
