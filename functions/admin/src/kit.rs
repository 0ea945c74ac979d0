//! Pages, forms and lists drawn from plain data.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod cell;
pub(crate) mod file;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod rows;
pub(crate) mod stale;
