//! Import of a whole catalogue from files: validated first, then written as one change.

mod apply;
mod fault;
mod files;
mod report;
mod shop_file;
mod table;
mod tables;

pub use apply::{Error, Mode, import};
pub use fault::{Fault, FaultyFiles};
pub use files::{Catalogue, parse};
pub use report::{Report, Rows};
pub use table::Files;
