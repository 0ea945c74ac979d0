//! The items of a list, written as they come: memory holds their JSON alone.

use std::marker::PhantomData;

use serde::Serialize;

use super::Paging;

/// Bytes of the items of one answer. Lambda takes answers of 6 MB, in which the body is one string of JSON.
const MOST_BYTES: usize = 5_500_000;
/// Items of a page: the longest texts that a booking can have leave a page of them below the limit.
const PAGE: usize = 100;

/// Items of a list as JSON.
#[derive(Debug)]
pub struct Items<T> {
    /// The items, with commas between them.
    json: Vec<u8>,
    /// Quotes and backslashes: within a string each takes two bytes.
    escaped: usize,
    count: usize,
    /// Where the first page ends.
    page_end: usize,
    written: serde_json::Result<()>,
    of: PhantomData<fn(T)>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { json: Vec::new(), escaped: 0, count: 0, page_end: 0, written: Ok(()), of: PhantomData }
    }
}

impl<T: Serialize> Items<T> {
    pub fn push(&mut self, item: &T) {
        let start = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        if self.written.is_ok() {
            self.written = serde_json::to_writer(&mut self.json, item);
        }
        self.escaped += self.json.iter().skip(start).filter(|byte| matches!(byte, b'"' | b'\\')).count();
        self.count += 1;
        if self.count <= PAGE {
            self.page_end = self.json.len();
        }
    }
}

impl<T> Items<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Cuts a whole list to its first page if one answer cannot hold it; returns that page. `None` if it fits.
    pub fn fit(&mut self) -> Option<Paging> {
        if self.json.len() + self.escaped <= MOST_BYTES {
            return None;
        }
        self.json.truncate(self.page_end);
        self.count = self.count.min(PAGE);
        Some(Paging { page: 1, page_size: PAGE })
    }

    /// The items with commas between them; the failure of one that cannot be JSON.
    pub(super) fn into_json(self) -> serde_json::Result<Vec<u8>> {
        self.written.map(|()| self.json)
    }
}

impl<T: Serialize> FromIterator<T> for Items<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut written = Self::default();
        for item in items {
            written.push(&item);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serializer, ser::Error};

    use super::*;

    #[test]
    fn a_list_is_cut_where_it_is_too_large_for_one_answer() {
        let fit = |text: String, count| {
            let mut items: Items<String> = vec![text; count].into_iter().collect();
            let page = items.fit();
            let json = format!("[{}]", String::from_utf8(items.into_json().unwrap()).unwrap());
            (page, serde_json::from_str::<Vec<String>>(&json).unwrap().len())
        };
        let page = Some(Paging { page: 1, page_size: 100 });
        assert_eq!(fit("x".repeat(10_000), 500), (None, 500));
        assert_eq!(fit("x".repeat(12_000), 500), (page, 100));
        assert_eq!(fit("\u{1b}".repeat(2_000), 500), (page, 100), "seven bytes each");
        assert_eq!(fit("x".repeat(2_000_000), 3), (page, 3), "a page is not always full");
    }

    #[test]
    fn an_item_that_cannot_be_json_fails_the_list() {
        struct Wrong;
        impl Serialize for Wrong {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(S::Error::custom("wrong"))
            }
        }
        assert_eq!([Wrong, Wrong].into_iter().collect::<Items<_>>().into_json().unwrap_err().to_string(), "wrong");
    }
}
