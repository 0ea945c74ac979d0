//! Pages, forms and lists drawn from plain data.

pub(crate) mod cell;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod page;
