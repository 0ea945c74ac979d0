//! The five lists of the catalogue: each record can be added, changed, archived and restored.
//!
//! A table is a type that implements [`Record`]: its columns, queries and inputs. The pages are the same for all.

mod pages;
mod record;
pub(crate) mod service_categories;
pub(crate) mod services;
pub(crate) mod vehicle_brands;
pub(crate) mod vehicle_models;
pub(crate) mod vehicle_types;

pub(crate) use pages::{NOTHING_CHANGED, archive, archive_page, change, create, edit, file, list, new, restore};
use record::{Dependents, Record, Stored};
