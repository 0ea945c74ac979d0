//! The five lists of the catalogue: each record can be added, changed, archived and restored.
//!
//! A table is a type that implements [`record::Record`]: its columns, queries and inputs. The pages are the same for all, and
//! so are the parts of the queries in `queries`.

mod archive;
mod edit;
mod list;
mod new;
mod queries;
mod record;
pub(crate) mod service_categories;
pub(crate) mod services;
pub(crate) mod vehicle_brands;
pub(crate) mod vehicle_models;
pub(crate) mod vehicle_types;
mod words;

pub(crate) use archive::{archive, archive_page, restore};
pub(crate) use edit::{change, edit};
pub(crate) use list::{file, list};
pub(crate) use new::{create, new};
use record::{Dependents, Stored};
pub(crate) use record::{archived, state_cell, state_filter};
pub(crate) use words::NOTHING_CHANGED;
