//! Finds what answers a request by its path and method.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use lambda_http::http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use super::{
    moved::{Moved, tell},
    observe::Taken,
    routes::{Answers, Routes},
};
use crate::Error;

/// The routes of a function.
pub(super) struct Table {
    /// The place of each path, by its index.
    paths: matchit::Router<usize>,
    places: Vec<Place>,
}

/// A path, and what is served there.
struct Place {
    path: Arc<str>,
    /// Set where only older clients call.
    moved: Option<Moved>,
    handlers: Vec<(Method, Arc<dyn Answers<()>>)>,
}

/// The part of a path that its route leaves open, decoded; `None` if it is no text. An extension of the request.
#[derive(Clone, Debug)]
pub(super) struct Captured(pub(super) Option<String>);

impl Table {
    pub(super) fn new(routes: Routes) -> Self {
        let mut table = Self { paths: matchit::Router::new(), places: Vec::new() };
        for route in routes.routes {
            if let Some(moved) = route.moved {
                table.add(&moved.former(&route.path), Some(moved), route.method.clone(), Arc::clone(&route.handler));
            }
            table.add(&route.path, None, route.method, route.handler);
        }
        table
    }

    #[expect(clippy::expect_used, reason = "a mistake of the code, which every test of the function finds")]
    fn add(&mut self, path: &str, moved: Option<Moved>, method: Method, handler: Arc<dyn Answers<()>>) {
        debug_assert!(path.matches('{').count() < 2, "{path} has two open parts, of which one would be captured");
        if let Some(place) = self.places.iter_mut().find(|place| *place.path == *path) {
            place.handlers.push((method, handler));
        } else {
            self.paths.insert(path, self.places.len()).expect("no two paths match the same requests");
            self.places.push(Place { path: path.into(), moved, handlers: vec![(method, handler)] });
        }
    }

    /// Answers a request by its route. Requests of `HEAD` are answered as `GET`, without the body.
    pub(super) async fn answer(&self, mut request: Request) -> Response {
        let Some((place, captured)) = self.find(request.uri().path()) else {
            return Error::NotFound("Page").into_response();
        };
        if let Some(Taken(taken)) = request.extensions().get() {
            let _ = taken.set(Arc::clone(&place.path));
        }
        let is_head = request.method() == Method::HEAD;
        let method = if is_head { &Method::GET } else { request.method() };
        let Some((_, handler)) = place.handlers.iter().find(|(own, _)| own == method) else {
            return place.refuse();
        };
        let link = place.moved.and_then(|moved| moved.link(request.uri()));
        if let Some(captured) = captured {
            request.extensions_mut().insert(captured);
        }
        let mut response = handler.answer(request, &()).await;
        if let Some(link) = link {
            tell(&mut response, link);
        }
        if is_head {
            *response.body_mut() = Body::empty();
        }
        response
    }

    fn find(&self, path: &str) -> Option<(&Place, Option<Captured>)> {
        let found = self.paths.at(path).ok()?;
        let decoded = |text| percent_decode_str(text).decode_utf8().ok().map(Into::into);
        let captured = found.params.iter().next().map(|(_, text)| Captured(decoded(text)));
        Some((self.places.get(*found.value)?, captured))
    }
}

impl Place {
    /// The answer to a method that the path does not have. It names those that it has (RFC 9110 §15.5.6).
    fn refuse(&self) -> Response {
        let names =
            self.handlers.iter().map(|(method, _)| if method == Method::GET { "GET,HEAD" } else { method.as_str() });
        let mut response = Error::MethodNotAllowed.into_response();
        if let Ok(names) = HeaderValue::try_from(names.collect::<Vec<_>>().join(",")) {
            response.headers_mut().insert(header::ALLOW, names);
        }
        response
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "test code")]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        extract::Request,
        response::Response,
    };
    use lambda_http::http::{Method, header};

    use super::{Captured, Table};
    use crate::http::Routes;

    async fn tell(request: Request) -> String {
        let captured = request.extensions().get().and_then(|Captured(text)| text.clone());
        format!("{} {captured:?}", request.method())
    }

    /// A function with a path that older clients call elsewhere, and one with a fixed part beside an open one.
    fn table() -> Table {
        let bikes = Routes::new().get("/bikes/{id}", tell).on(Method::PATCH, "/bikes/{id}", tell);
        Table::new(bikes.moved("/old", "/new").merge(Routes::new().post("/new/bikes/all", tell)))
    }

    async fn ask(method: &str, path: &str) -> (u16, String, Response) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = table().answer(request).await;
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        (parts.status.as_u16(), body, Response::from_parts(parts, Body::empty()))
    }

    #[tokio::test]
    async fn the_open_part_of_a_path_reaches_the_handler_decoded() {
        for (path, text) in [("/new/bikes/7", "GET Some(\"7\")"), ("/new/bikes/%C3%BC%2F", "GET Some(\"ü/\")")] {
            let (status, body, _) = ask("GET", path).await;
            assert_eq!((status, body.as_str()), (200, text), "{path}");
        }
        assert_eq!(ask("GET", "/new/bikes/%ff").await.1, "GET None");
        assert_eq!(ask("POST", "/new/bikes/all").await.1, "POST None");
    }

    #[tokio::test]
    async fn head_is_answered_as_get_without_a_body_and_other_methods_are_refused() {
        let (status, body, _) = ask("HEAD", "/new/bikes/7").await;
        assert_eq!((status, body.as_str()), (200, ""));
        for (method, path, allowed) in [
            ("DELETE", "/new/bikes/7", "GET,HEAD,PATCH"),
            ("PURGE", "/old/bikes/7", "GET,HEAD,PATCH"),
            ("HEAD", "/new/bikes/all", "POST"),
        ] {
            let (status, _, response) = ask(method, path).await;
            assert_eq!(status, 405, "{method} {path}");
            assert_eq!(response.headers()[header::ALLOW], allowed, "{method} {path}");
        }
        for path in ["/", "/new", "/new/bikes", "/new/bikes/7/8", "/old/bikes"] {
            assert_eq!(ask("GET", path).await.0, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn only_an_older_path_names_the_one_to_call_instead() {
        let (_, body, response) = ask("PATCH", "/old/bikes/7").await;
        assert_eq!(body, "PATCH Some(\"7\")");
        assert_eq!(response.headers()[header::LINK], "</new/bikes/7/>; rel=\"successor-version\"");
        assert!(response.headers().contains_key("deprecation"));
        let (_, _, response) = ask("PATCH", "/new/bikes/7").await;
        assert!(!response.headers().contains_key("deprecation") && !response.headers().contains_key(header::LINK));
    }
}
