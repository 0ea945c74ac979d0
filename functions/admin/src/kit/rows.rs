//! Rows of a page of a list, how many there are in all, and the pages beside it.

use std::fmt;

use super::ask::{Ask, HIGHEST_COUNT, PAGE, Side};

/// Rows of a scope are counted up to this number: it is shown on each page of a list, beside those of all other scopes.
pub(crate) const HIGHEST_IN_SCOPE: i64 = 1_000;

/// Rows of a page, how many match in all, and the addresses of the pages beside this one.
#[derive(Debug)]
pub(crate) struct Rows<R> {
    pub(crate) rows: Vec<R>,
    /// Where the list grows with the bookings, at most one more than is shown: see [`Count`].
    pub(crate) count: i64,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}

impl<R> Rows<R> {
    /// All rows of a list without pages.
    pub(crate) const fn all(rows: Vec<R>, count: i64) -> Self {
        Self { rows, count, previous: None, next: None }
    }

    /// A page by its number: Postgres reads the rows before it too, so this is for lists that stay short.
    pub(crate) fn numbered(rows: Vec<R>, count: i64, ask: &Ask) -> Self {
        let (page, last) = (ask.page(), (count + PAGE - 1) / PAGE);
        let to = |page: i64| ask.link(&[("page", &page.to_string())]);
        Self { rows, count, previous: (page > 1).then(|| to(page - 1)), next: (page < last).then(|| to(page + 1)) }
    }

    /// A page of a list that grows with the bookings. The query was asked for one row more than a page has, which tells
    /// whether another page follows, and for those nearest to the row that it began from.
    ///
    /// In the list's own order the pages beside it go by key. They are found in an index, and leave out no row and show none
    /// twice when others are added meanwhile.
    pub(crate) fn page(mut rows: Vec<R>, count: i64, ask: &Ask, from: Option<Side>, key: fn(&R) -> String) -> Self {
        let limit = usize::try_from(ask.limit()).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if from == Some(Side::Before) {
            rows.reverse();
        }
        let (has_previous, has_next) = match from {
            None => (ask.page() > 1, has_more),
            Some(Side::After) => (true, has_more),
            Some(Side::Before) => (has_more, true),
        };
        let beside = |row: Option<&R>, page: i64, side: Side| {
            let key = row.filter(|_| ask.sort().is_none()).map(key).unwrap_or_default();
            ask.link(&[("page", &page.max(1).to_string()), (side.name(), &key)])
        };
        let previous = has_previous.then(|| beside(rows.first(), ask.page() - 1, Side::Before));
        let next = has_next.then(|| beside(rows.last(), ask.page() + 1, Side::After));
        Self { rows, count, previous, next }
    }
}

/// How many rows match, in words: `533`, or `10,000+` where more match than are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) i64);

impl Count {
    pub(super) const fn is_capped(self) -> bool {
        self.0 > HIGHEST_COUNT
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_capped() { formatter.write_str("10,000+") } else { self.0.fmt(formatter) }
    }
}

/// How many rows a scope has, in words: `533`, or `1,000+`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InScope(pub(crate) i64);

impl fmt::Display for InScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > HIGHEST_IN_SCOPE { formatter.write_str("1,000+") } else { self.0.fmt(formatter) }
    }
}
