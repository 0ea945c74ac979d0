//! The body of a success: one item, a list or a page of a list.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderValue, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::json;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use super::{Fields, Read};

/// The body of every success outside `/api/auth/`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Envelope<T> {
    #[schema(schema_with = always_false)]
    pub error: bool,
    /// A sentence that can be shown.
    pub message: String,
    /// What was asked for.
    pub data: T,
}

impl<T> Envelope<T> {
    pub fn new(message: impl Into<String>, data: T) -> Self {
        Self { error: false, message: message.into(), data }
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

/// The body of a list. Beside it, when a page was asked for, how many items match and where the other pages are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Paged<T> {
    #[schema(schema_with = always_false)]
    pub error: bool,
    /// A sentence that can be shown.
    pub message: String,
    /// The items, or one page of them.
    pub data: Vec<T>,
    /// How many items match. Only with `page_size`, as its neighbours; always where staff list bookings.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// Whether more items match than `count` says. Only where staff list bookings.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    count_capped: bool,
    /// Path and query of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    next: Option<Link>,
    /// Path and query of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    previous: Option<Link>,
}

/// How many items match, counted up to a limit, and where the pages beside this one begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub count: usize,
    /// Whether more match than were counted.
    pub is_capped: bool,
    /// The key of the first item, if items are in front of it.
    pub previous: Option<String>,
    /// The key of the last item, if items are behind it.
    pub next: Option<String>,
}

/// A constant, so that a generated client can tell a success from a failure by `error`.
fn always_false() -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([json!(false)])).build()
}

/// The path of another page; null if there is none.
type Link = Option<String>;

impl<T> Paged<T> {
    /// A list without pages.
    pub fn whole(message: impl Into<String>, items: Vec<T>) -> Self {
        Self {
            error: false,
            message: message.into(),
            data: items,
            count: None,
            count_capped: false,
            next: None,
            previous: None,
        }
    }

    /// The requested page, cut out of all items.
    pub fn cut(message: impl Into<String>, items: Vec<T>, paging: Paging, uri: &Uri) -> Self {
        let count = items.len();
        let page = items.into_iter().skip(paging.offset()).take(paging.page_size).collect();
        Self::page(message, page, count, paging, uri)
    }

    /// A page that was fetched by itself, with the total number of items.
    pub fn page(message: impl Into<String>, items: Vec<T>, count: usize, paging: Paging, uri: &Uri) -> Self {
        let pages = count.div_ceil(paging.page_size).max(1);
        let next = (paging.page < pages).then(|| paging.path_of(uri, paging.page + 1, None));
        let previous = (paging.page > 1).then(|| paging.path_of(uri, (paging.page - 1).min(pages), None));
        Self { count: Some(count), next: Some(next), previous: Some(previous), ..Self::whole(message, items) }
    }

    /// A list with its count, whether or not pages of it are asked for, and still without its items. The pages beside one go
    /// by key, so that they neither repeat nor leave out an item if others are added meanwhile; those of an empty page,
    /// which has no key, by number.
    pub(super) fn counted(
        message: impl Into<String>,
        is_empty: bool,
        found: Counted,
        paging: Option<Paging>,
        uri: &Uri,
    ) -> Self {
        let mut list = match paging {
            Some(paging) => Self::page(message, Vec::new(), found.count, paging, uri),
            None => Self::whole(message, Vec::new()),
        };
        list.count = Some(found.count);
        list.count_capped = found.is_capped;
        if let Some(paging) = paging.filter(|_| !is_empty) {
            let next = |key| paging.path_of(uri, paging.page + 1, Some(("after", key)));
            let previous = |key| paging.path_of(uri, paging.page.saturating_sub(1).max(1), Some(("before", key)));
            list.next = Some(found.next.map(next));
            list.previous = Some(found.previous.map(previous));
        }
        list
    }
}

impl<T: Serialize> IntoResponse for Paged<T> {
    fn into_response(self) -> Response {
        private_json(StatusCode::OK, &self)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// From 1. Ignored without `page_size`.
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1, required = false)]
    pub page: usize,
    /// Items per page. Without it the list has no pages.
    #[param(minimum = 1, maximum = 100, required = false)]
    pub page_size: usize,
}

impl Paging {
    /// The number of items before this page.
    pub fn offset(self) -> usize {
        (self.page - 1).saturating_mul(self.page_size)
    }

    /// A page by its number, or by a key under its name; the number then tells where about it is.
    fn path_of(self, uri: &Uri, page: usize, key: Option<(&str, String)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !matches!(&*name, "page" | "page_size" | "after" | "before") {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair("page", &page.to_string());
        query.append_pair("page_size", &self.page_size.to_string());
        if let Some((name, key)) = key {
            query.append_pair(name, &key);
        }
        format!("{}/?{}", uri.path().trim_end_matches('/'), query.finish())
    }
}

/// `None` if no page is requested.
impl Read for Option<Paging> {
    fn read(fields: &mut Fields) -> Option<Self> {
        let page = fields.integer_within("page", 1..=1_000_000_000);
        let page_size = fields.integer_within("page_size", 1..=100);
        // `page` alone is ignored, as the former service did: the staff's app sends it and has no pages.
        let Some(page_size) = page_size.and_then(|size| usize::try_from(size).ok()) else { return Some(None) };
        let page = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(1);
        Some(Some(Paging { page, page_size }))
    }
}

/// A JSON answer without `Cache-Control`.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    ready(status, serde_json::to_vec(body))
}

/// A JSON answer for this caller only: no cache may store it.
pub fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    private(json(status, body))
}

pub(super) fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer of JSON that was written.
pub(super) fn ready(status: StatusCode, body: serde_json::Result<Vec<u8>>) -> Response {
    match body {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
