//! The HTTP layer: events of API Gateway, extractors, outer layers, and the two bodies of success and failure.

mod answer;
mod body;
mod conditional;
mod cookies;
mod described;
mod encoding;
mod envelope;
mod event;
mod extract;
mod failure;
mod fields;
mod fit;
mod gateway;
mod listed;
mod moved;
mod observe;
mod origin;
mod pages;
mod patch;
mod routes;
mod stack;
mod table;
pub mod time;

pub use crate::{body, routes};
pub use answer::Answer;
pub(crate) use answer::Written;
pub use conditional::{etag, not_modified};
pub use cookies::cookie;
pub use described::BODY;
pub use encoding::takes_gzip;
pub(crate) use encoding::{BY_ENCODING, GZIP, gzip};
pub use envelope::{Counted, Envelope, Paged, Paging, json, private_json};
pub use event::Event;
pub use extract::{ClientAddress, Device, Id, Json, OwnHost, Query};
pub use failure::{Answers, ErrorBody, FlatErrorBody};
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub use fields::fields_read;
pub use fields::{Fields, Read, Whole};
pub use fit::fit;
pub use gateway::{handler, serve};
pub use listed::Listed;

pub use observe::RequestId;
pub use origin::Origin;
pub use pages::{page, see_other};
pub use patch::Patch;
#[doc(hidden)]
pub use routes::utoipa_axum;
pub use routes::{Inside, Routes};
pub use stack::{BODY_LIMIT, DEADLINE, Edge};
