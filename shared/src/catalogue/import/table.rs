//! A file of the catalogue in CSV: reads its lines, and checks them against other files.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Display,
    hash::Hash,
    ops::RangeInclusive,
};

use csv::{Position, ReaderBuilder, StringRecord};

use super::fault::Fault;
use crate::{
    catalogue::prices::HIGHEST,
    money::Money,
    text::{Lines, Unclean, clean},
};

/// File contents by file name, as in the import event.
pub type Files = BTreeMap<String, String>;

/// The number of cells up to the last that is not empty: spreadsheets end every line with as many commas as the widest has.
fn cells(record: &StringRecord) -> usize {
    (1..).zip(record).filter(|(_, cell)| !cell.trim().is_empty()).last().map_or(0, |(number, _)| number)
}

/// Column names of a file, in order.
type Columns = &'static [&'static str];

/// Rows of a file, each with its line number.
pub(super) struct Table<T> {
    file: &'static str,
    columns: Columns,
    rows: Vec<(u64, T)>,
    /// Some rows could not be parsed, so references to this file are not checked: they would be false faults.
    has_holes: bool,
}

pub(super) fn table<T>(
    files: &Files,
    file: &'static str,
    columns: Columns,
    faults: &mut Vec<Fault>,
    read: impl Fn(&mut Row<'_>) -> Option<T>,
) -> Table<T> {
    let mut table = Table { file, columns, rows: Vec::new(), has_holes: true };
    let Some(text) = files.get(file) else {
        return missing(file, faults).unwrap_or(table);
    };
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let is_header =
        |header: &StringRecord| header.iter().take(cells(header)).map(str::trim).eq(columns.iter().copied());
    if !reader.headers().is_ok_and(is_header) {
        faults.push(table.fault(1, "", format!("the first line must be {}", columns.join(","))));
        return table;
    }
    let before = faults.len();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, Position::line);
                let cells = cells(&record);
                if cells == 0 {
                    // Spreadsheets save the rows that were emptied.
                    continue;
                }
                if record.len() >= columns.len() && cells <= columns.len() {
                    let row = read(&mut Row { file, columns, line, record: &record, faults });
                    table.rows.extend(row.map(|row| (line, row)));
                } else {
                    let sentence = format!(
                        "{} fields are needed, {} are there",
                        columns.len(),
                        cells.max(record.len().min(columns.len()))
                    );
                    faults.push(table.fault(line, "", sentence));
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, Position::line);
                faults.push(table.fault(line, "", "the line cannot be read".to_owned()));
            }
        }
    }
    table.has_holes = faults.len() > before;
    if table.rows.is_empty() && !table.has_holes {
        faults.push(table.fault(2, "", "the file has no rows".to_owned()));
    }
    table
}

impl<T> Table<T> {
    pub(super) fn rows(self) -> Vec<T> {
        self.rows.into_iter().map(|(_, row)| row).collect()
    }

    pub(super) fn ids<K: Eq + Hash>(&self, id: impl Fn(&T) -> K) -> Option<HashSet<K>> {
        (!self.has_holes).then(|| self.rows.iter().map(|(_, row)| id(row)).collect())
    }

    /// Records each row whose key an earlier one has. Sorts the rows, because a map of all prices takes three times the memory.
    pub(super) fn once<K: Ord>(&self, column: &str, key: impl Fn(&T) -> K, faults: &mut Vec<Fault>) {
        let mut rows: Vec<&(u64, T)> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| key(row));
        let same = rows.chunk_by(|(_, one), (_, next)| key(one) == key(next));
        let mut repeated: Vec<(u64, u64)> = same
            .filter_map(|rows| rows.split_first())
            .flat_map(|((first, _), others)| others.iter().map(|(line, _)| (*line, *first)))
            .collect();
        repeated.sort_unstable();
        for (line, first) in repeated {
            faults.push(self.fault(line, column, format!("the same stands in line {first}")));
        }
    }

    pub(super) fn refers<K: Eq + Hash + Display>(
        &self,
        column: &str,
        id: impl Fn(&T) -> K,
        known: Option<&HashSet<K>>,
        faults: &mut Vec<Fault>,
    ) {
        let Some(known) = known else { return };
        for (line, row) in self.rows.iter().filter(|(_, row)| !known.contains(&id(row))) {
            faults.push(self.fault(*line, column, format!("there is no row with the id {}", id(row))));
        }
    }

    fn fault(&self, line: u64, column: &str, sentence: String) -> Fault {
        Fault { file: self.file, line, column: place(self.columns, column), sentence }
    }
}

/// A line of a file. Each reading method records a fault in its field.
pub(super) struct Row<'a> {
    file: &'static str,
    columns: Columns,
    line: u64,
    record: &'a StringRecord,
    faults: &'a mut Vec<Fault>,
}

impl Row<'_> {
    /// Any text, also an empty one.
    fn any(&mut self, column: &str) -> Option<String> {
        self.clean(column, Lines::One)
    }

    /// Any text of any number of lines, also an empty one.
    pub(super) fn lines(&mut self, column: &str) -> Option<String> {
        self.clean(column, Lines::Many)
    }

    fn clean(&mut self, column: &str, lines: Lines) -> Option<String> {
        let index = self.columns.iter().position(|name| *name == column);
        match clean(index.and_then(|index| self.record.get(index)).unwrap_or_default(), lines) {
            Ok(text) => Some(text),
            Err(Unclean::Nul) => self.fault(column, "a NUL character cannot be kept"),
            Err(Unclean::Control) => self.fault(column, "control characters cannot be kept"),
            Err(Unclean::Invisible) => self.fault(column, "a value that can be seen is needed"),
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        match self.any(column)? {
            text if text.is_empty() => self.fault(column, "a value is needed"),
            text => Some(text),
        }
    }

    pub(super) fn choice(&mut self, column: &str, choices: &[&str]) -> Option<String> {
        match self.any(column)? {
            text if choices.contains(&text.as_str()) => Some(text),
            text => self.fault(column, &format!("\"{text}\" is none of {}", choices.join(", "))),
        }
    }

    pub(super) fn id<K: From<i64>>(&mut self, column: &str) -> Option<K> {
        match whole(&self.any(column)?).parse() {
            Ok(id) if id > 0 => Some(K::from(id)),
            _ => self.fault(column, "a whole number from 1 is needed"),
        }
    }

    pub(super) fn within(&mut self, column: &str, range: RangeInclusive<i32>) -> Option<i32> {
        match whole(&self.any(column)?).parse() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let sentence = format!("a whole number from {} to {} is needed", range.start(), range.end());
                self.fault(column, &sentence)
            }
        }
    }

    /// [`Self::within`], or `Some(None)` for an empty field.
    #[expect(clippy::option_option, reason = "the outer one tells a fault, the inner one an empty field")]
    pub(super) fn within_or_empty(&mut self, column: &str, range: RangeInclusive<i32>) -> Option<Option<i32>> {
        if self.any(column)?.is_empty() { Some(None) } else { self.within(column, range).map(Some) }
    }

    pub(super) fn price(&mut self, column: &str) -> Option<Money> {
        match self.any(column)?.parse() {
            Ok(price) if price > HIGHEST => self.fault(column, &format!("the highest price is {HIGHEST}")),
            Ok(price) if price > Money::from_paise(0) => Some(price),
            _ => self.fault(column, "an amount above 0 in rupees with at most two places is needed"),
        }
    }

    fn fault<T>(&mut self, column: &str, sentence: &str) -> Option<T> {
        let column = place(self.columns, column);
        self.faults.push(Fault { file: self.file, line: self.line, column, sentence: sentence.to_owned() });
        None
    }
}

/// A whole number as a spreadsheet writes it, `111.0`, without its zeros.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    }
}

pub(super) fn missing<T>(file: &'static str, faults: &mut Vec<Fault>) -> Option<T> {
    faults.push(Fault { file, line: 1, column: "1".to_owned(), sentence: "the file is missing".to_owned() });
    None
}

/// Number (from 1) and name of a column: `3 (price)`.
fn place(columns: Columns, column: &str) -> String {
    match columns.iter().position(|name| *name == column) {
        Some(index) => format!("{} ({column})", index + 1),
        None => "1".to_owned(),
    }
}
