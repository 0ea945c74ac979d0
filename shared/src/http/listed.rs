//! A long list, written and compressed item by item: neither the items nor their JSON are in memory as a whole.

use std::marker::PhantomData;

use axum::response::Response;
use lambda_http::http::{HeaderMap, Uri};
use serde::Serialize;

use super::{
    Counted, Paged, Paging,
    encoding::Packing,
    envelope::private,
    fit::{FIRST_PAGE, MOST_BYTES, size},
};

/// The answer [`Paged`], while it is written.
#[derive(Debug)]
pub struct Listed<T> {
    message: &'static str,
    text: Packing,
    /// Bytes of the items in the answer: none without items.
    bytes: usize,
    /// The item that is being written.
    item: Vec<u8>,
    failure: Option<serde_json::Error>,
    of: PhantomData<fn(T)>,
}

impl<T: Serialize> Listed<T> {
    /// Begins the answer to a `GET` with these headers.
    pub fn begin(message: &'static str, headers: &HeaderMap) -> Self {
        let mut text = Packing::new(headers);
        let (front, _) = around(&Paged::<T>::whole(message, Vec::new()));
        text.push(&front);
        Self { message, text, bytes: 0, item: Vec::new(), failure: None, of: PhantomData }
    }

    /// Writes an item behind those before it. If that fails, the answer is a 500.
    pub fn push(&mut self, item: &T) {
        self.item.clear();
        if self.bytes > 0 {
            self.item.push(b',');
        }
        if let Err(failure) = serde_json::to_writer(&mut self.item, item) {
            self.failure = Some(failure);
        }
        self.bytes += size(&self.item);
        self.text.push(&self.item);
    }

    /// The first page, if one answer cannot hold this list. `None` if it fits.
    pub fn fit(&self) -> Option<Paging> {
        (self.bytes > MOST_BYTES).then_some(FIRST_PAGE)
    }

    /// Ends the answer with the count, whether or not pages are asked for, and with the pages beside this one.
    pub fn end(mut self, found: Counted, paging: Option<Paging>, uri: &Uri) -> Response {
        let (_, back) = around(&Paged::<T>::counted(self.message, self.bytes == 0, found, paging, uri));
        self.text.push(&back);
        private(self.text.into_response(self.failure))
    }
}

/// What is in front of the items of an answer without any, and behind them.
fn around<T: Serialize>(empty: &Paged<T>) -> (Vec<u8>, Vec<u8>) {
    // Quotes within the message are escaped, so this is the list.
    const DATA: &[u8] = br#""data":["#;
    let mut front = serde_json::to_vec(empty).unwrap_or_default();
    let start = front.windows(DATA.len()).position(|part| part == DATA).unwrap_or_default();
    let back = front.split_off(start + DATA.len());
    (front, back)
}

#[cfg(test)]
mod tests {
    use axum::body;
    use lambda_http::http::StatusCode;
    use serde::{Serializer, ser::Error};

    use super::*;

    fn ended<T: Serialize>(list: Listed<T>) -> Response {
        let found = Counted { count: 2, is_capped: false, previous: None, next: None };
        list.end(found, None, &Uri::from_static("/x"))
    }

    #[tokio::test]
    async fn a_list_has_its_items_in_their_place() {
        let mut list = Listed::begin(r#"Of "data":[]"#, &HeaderMap::new());
        for item in ["a", "\"data\":["] {
            list.push(&item);
        }
        let bytes = body::to_bytes(ended(list).into_body(), usize::MAX).await.unwrap();
        let expected = r#"{"error":false,"message":"Of \"data\":[]","data":["a","\"data\":["],"count":2}"#;
        assert_eq!(str::from_utf8(&bytes).unwrap(), expected);
    }

    #[test]
    fn a_list_does_not_fit_where_it_is_too_large_for_one_answer() {
        let fit = |text: String, count| {
            let mut list = Listed::begin("x", &HeaderMap::new());
            (0..count).for_each(|_| list.push(&text));
            list.fit()
        };
        assert_eq!(fit("x".repeat(10_000), 500), None);
        assert_eq!(fit("x".repeat(12_000), 500), Some(Paging { page: 1, page_size: 100 }));
        assert_eq!(fit("\u{1b}".repeat(1_700), 500), Some(Paging { page: 1, page_size: 100 }), "seven bytes each");
    }

    #[test]
    fn an_item_that_cannot_be_written_fails_the_list() {
        struct Wrong;
        impl Serialize for Wrong {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(S::Error::custom("wrong"))
            }
        }
        let mut list = Listed::begin("x", &HeaderMap::new());
        list.push(&Wrong);
        assert_eq!(ended(list).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
