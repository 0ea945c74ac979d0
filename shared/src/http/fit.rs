//! Lists that one answer of Lambda cannot hold.

use serde::Serialize;

use super::Paging;

/// Bytes of the items of one answer. Lambda takes answers of 6 MB, in which the body is one string of JSON.
pub(super) const MOST_BYTES: usize = 5_500_000;
/// The first page of a list that is cut: the longest texts that a booking can have leave a page of them below the limit.
pub(super) const FIRST_PAGE: Paging = Paging { page: 1, page_size: 100 };

/// Cuts a whole list to its first page if one answer cannot hold it; returns that page. `None` if it fits.
pub fn fit<T: Serialize>(items: &mut Vec<T>) -> Option<Paging> {
    let mut bytes = 0;
    if items.iter().all(|item| {
        bytes += size(&serde_json::to_vec(item).unwrap_or_default());
        bytes <= MOST_BYTES
    }) {
        return None;
    }
    items.truncate(FIRST_PAGE.page_size);
    Some(FIRST_PAGE)
}

/// The bytes of an item in the answer: within a string, quotes and backslashes count twice.
pub(super) fn size(item: &[u8]) -> usize {
    item.len() + item.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_where_it_is_too_large_for_one_answer() {
        let mut short = vec!["x".repeat(10_000); 500];
        assert_eq!((fit(&mut short), short.len()), (None, 500));
        let mut long = vec!["x".repeat(12_000); 500];
        assert_eq!((fit(&mut long), long.len()), (Some(Paging { page: 1, page_size: 100 }), 100));
        let mut escaped = vec!["\u{1b}".repeat(1_700); 500];
        assert_eq!((fit(&mut escaped).is_some(), escaped.len()), (true, 100), "seven bytes each");
    }
}
