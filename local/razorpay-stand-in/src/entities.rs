//! Storage of orders, payments and refunds. An entity is the JSON that the API shows.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::answer::{Refusal, Result};

/// One order, payment or refund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Entity(Value);

impl Entity {
    pub(crate) fn new(json: Value) -> Self {
        Self(json)
    }

    /// A string member; empty if absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An integer member; 0 if absent.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A boolean member; false if absent.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Sets members.
    pub(crate) fn set<const COUNT: usize>(&mut self, members: [(&str, Value); COUNT]) {
        if let Some(object) = self.0.as_object_mut() {
            object.extend(members.map(|(name, value)| (name.to_owned(), value)));
        }
    }

    /// The entity as the API shows it.
    pub(crate) fn json(&self) -> &Value {
        &self.0
    }

    /// The same, for changes against all rules.
    pub(crate) fn json_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// All entities of a kind, oldest first.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<Entity>")]
pub(crate) struct Entities {
    rows: Vec<Entity>,
    places: HashMap<String, usize>,
}

impl Entities {
    pub(crate) fn add(&mut self, entity: Entity) {
        self.places.insert(entity.text("id").to_owned(), self.rows.len());
        self.rows.push(entity);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Entity> {
        self.places.get(id).and_then(|place| self.rows.get(*place))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Entity> {
        self.places.get(id).and_then(|place| self.rows.get_mut(*place))
    }

    /// The entity that a call names. A malformed id and an unknown one are refused with different texts.
    pub(crate) fn find(&self, id: &str) -> Result<&Entity> {
        expect_id(id)?;
        self.get(id).ok_or_else(Refusal::unknown_id)
    }

    pub(crate) fn find_mut(&mut self, id: &str) -> Result<&mut Entity> {
        expect_id(id)?;
        self.get_mut(id).ok_or_else(Refusal::unknown_id)
    }

    /// All, newest first; that Razorpay lists them so is a guess.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &Entity> {
        self.rows.iter().rev()
    }

    /// All, oldest first.
    pub(crate) fn oldest(&self) -> impl Iterator<Item = &Entity> {
        self.rows.iter()
    }
}

fn expect_id(id: &str) -> Result<()> {
    let own = id.split_once('_').map_or(id, |(_, own)| own);
    if own.len() == 14 && own.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Refusal::not_an_id(id))
}

impl From<Vec<Entity>> for Entities {
    fn from(rows: Vec<Entity>) -> Self {
        let mut entities = Self::default();
        for row in rows {
            entities.add(row);
        }
        entities
    }
}

impl Serialize for Entities {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}
