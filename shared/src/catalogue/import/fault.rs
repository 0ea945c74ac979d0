//! Faults in the files of an import, each with its place.

use std::fmt;

/// A fault and its place. Lines and columns count from 1; a CSV column is a field of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(super) file: &'static str,
    pub(super) line: u64,
    pub(super) column: String,
    pub(super) sentence: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} line {} column {}: {}", self.file, self.line, self.column, self.sentence)
    }
}

/// All faults of files that cannot be imported.
#[derive(Debug, PartialEq, Eq)]
pub struct FaultyFiles(pub Vec<Fault>);

impl std::error::Error for FaultyFiles {}

impl fmt::Display for FaultyFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        write!(formatter, "nothing was changed; {} faults:", self.0.len())?;
        for fault in self.0.iter().take(SHOWN) {
            write!(formatter, "\n{fault}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, "\nand {more} more"),
        }
    }
}
