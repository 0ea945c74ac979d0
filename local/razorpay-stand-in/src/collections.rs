//! Lists: a page of entities.

use serde_json::{Value, json};

use crate::{
    answer::{Refusal, Result},
    entities::Entity,
    request::Request,
};

/// The accepted range of `from` and `to`, in Unix seconds.
const TIMES: (i64, i64) = (946_684_800, 4_765_046_400);

/// The page of a list that the query selects by `from`, `to`, `skip` and `count`.
pub(crate) fn page<'a>(request: &Request, all: impl Iterator<Item = &'a Entity>) -> Result<Vec<&'a Entity>> {
    let from = number(request, "from", TIMES)?;
    let to = number(request, "to", TIMES)?;
    let count = number(request, "count", (1, 100))?.unwrap_or(10);
    let skip = number(request, "skip", (0, i64::MAX))?.unwrap_or_default();
    let is_asked_for = |entity: &&Entity| {
        let created_at = entity.number("created_at");
        from.is_none_or(|from| created_at >= from) && to.is_none_or(|to| created_at <= to)
    };
    let (skip, count) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or_default());
    Ok(all.filter(is_asked_for).skip(skip).take(count).collect())
}

/// A collection of entities given as JSON.
pub(crate) fn collection(items: &[Value]) -> Value {
    json!({"entity": "collection", "count": items.len(), "items": items})
}

/// A collection of these entities.
pub(crate) fn of<'a>(entities: impl IntoIterator<Item = &'a Entity>) -> Value {
    let items: Vec<_> = entities.into_iter().map(|entity| entity.json().clone()).collect();
    collection(&items)
}

fn number(request: &Request, name: &str, (least, most): (i64, i64)) -> Result<Option<i64>> {
    let Some(text) = request.query(name) else { return Ok(None) };
    let number: i64 = text.parse().map_err(|_| Refusal::not_an_integer(name))?;
    if (least..=most).contains(&number) { Ok(Some(number)) } else { Err(Refusal::out_of_range(name, least, most)) }
}
