//! The lines of a price file, as a spreadsheet saves it.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};

use super::{amount, offers::Pair};
use crate::kit::ask::LONGEST_FILE;

/// A line that names a service, a model and a price.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) pair: Pair,
    /// `None` where the cell is empty.
    pub(super) price: Option<i64>,
    /// The names in the file, where it has any: service, brand, model.
    pub(super) names: [Option<String>; 3],
}

/// A line that cannot be used, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Faulty {
    pub(super) number: u64,
    pub(super) sentence: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) faulty: Vec<Faulty>,
}

/// Places of the columns.
struct Columns {
    service_id: usize,
    vehicle_model_id: usize,
    price: usize,
    names: [Option<usize>; 3],
    count: usize,
}

/// Reads a file, separated by commas or semicolons. The error is a sentence about the whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Lines, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "The file is not UTF-8. Save it as “CSV UTF-8” and send it again.".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') { b';' } else { b',' };
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = records.next().and_then(Result::ok).unwrap_or_default();
    let columns = columns(&header)?;
    let (mut read, mut seen, mut numbers) = (Lines::default(), BTreeMap::new(), Numbers::default());
    for record in records {
        let record = record.map_err(|error| format!("The file is no CSV file: {error}."))?;
        let number = numbers.of(text, &record);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if read.lines.len() + read.faulty.len() >= usize::try_from(LONGEST_FILE).unwrap_or(usize::MAX) {
            return Err(format!("The file has more than {LONGEST_FILE} lines. Send it in parts."));
        }
        match line(&columns, &record, number, &mut seen) {
            Ok(line) => read.lines.push(line),
            Err(sentence) => read.faulty.push(Faulty { number, sentence }),
        }
    }
    Ok(read)
}

/// Counts lines as an editor does. The reader of the file is one behind after a Windows line end.
#[derive(Default)]
struct Numbers {
    bytes: usize,
    line_ends: u64,
}

impl Numbers {
    fn of(&mut self, text: &str, record: &StringRecord) -> u64 {
        let start = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let rest = text.get(start..).unwrap_or_default();
        let start = start + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let passed = text.get(self.bytes..start).unwrap_or_default();
        self.line_ends += passed.bytes().filter(|byte| *byte == b'\n').map(|_| 1).sum::<u64>();
        self.bytes = start;
        self.line_ends + 1
    }
}

fn columns(header: &StringRecord) -> Result<Columns, String> {
    let place = |name: &str| header.iter().position(|title| title.trim().eq_ignore_ascii_case(name));
    let required = |name: &str| {
        place(name).ok_or_else(|| {
            format!("The first line has no column “{name}”. It must name service_id, vehicle_model_id and price.")
        })
    };
    Ok(Columns {
        service_id: required("service_id")?,
        vehicle_model_id: required("vehicle_model_id")?,
        price: required("price")?,
        names: ["service", "brand", "model"].map(place),
        count: header.len(),
    })
}

fn line(columns: &Columns, record: &StringRecord, number: u64, seen: &mut BTreeMap<Pair, u64>) -> Result<Line, String> {
    let is_empty = |cell: &str| cell.trim().is_empty();
    if record.len() < columns.count || !record.iter().skip(columns.count).all(is_empty) {
        return Err(format!("This line has {} columns, the first line has {}.", record.len(), columns.count));
    }
    let cell = |place: usize| record.get(place).unwrap_or_default().trim();
    let id = |place: usize, name: &str| id(cell(place)).ok_or_else(|| format!("“{}” is no {name}.", cell(place)));
    let service_id = id(columns.service_id, "service_id")?;
    let vehicle_model_id = id(columns.vehicle_model_id, "vehicle_model_id")?;
    let pair = Pair { service_id: service_id.into(), vehicle_model_id: vehicle_model_id.into() };
    if let Some(first) = seen.insert(pair, number) {
        seen.insert(pair, first);
        return Err(format!("Service {service_id} and model {vehicle_model_id} are in line {first} already."));
    }
    let price = amount::parse(cell(columns.price)).map_err(|fault| format!("“{}”: {fault}", cell(columns.price)))?;
    let name = |place: Option<usize>| place.map(cell).filter(|name| !name.is_empty()).map(ToOwned::to_owned);
    Ok(Line { number, pair, price, names: columns.names.map(name) })
}

/// An id, also as a spreadsheet writes it: `111.0`.
fn id(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    whole.parse().ok().filter(|_| fraction.bytes().all(|byte| byte == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Lines {
        read(text.as_bytes()).unwrap()
    }

    fn line_of(number: u64, service: i64, model: i64, price: Option<i64>) -> Line {
        let pair = Pair { service_id: service.into(), vehicle_model_id: model.into() };
        Line { number, pair, price, names: [None, None, None] }
    }

    #[test]
    fn a_file_is_read_as_spreadsheets_save_it() {
        let expected = [line_of(2, 1, 7, Some(125_000)), line_of(3, 2, 7, None)];
        for text in [
            "service_id,vehicle_model_id,price\n1,7,\"1,250.00\"\n2,7,\n",
            "\u{feff}service_id,vehicle_model_id,price\r\n1,7,1250\r\n2,7,\r\n",
            "Price;Vehicle_Model_ID;SERVICE_ID\r\n₹1,250.00;7;1\r\n;7;2",
            "service_id,vehicle_model_id,price\n1,7,1250.0\n2,7, \n,,\n\n",
            "service_id,vehicle_model_id,price,,\n1.0,7.0,1250.00,,\n2.00,7,,,\n,,,,\n",
            "service_id,vehicle_model_id,price\n1,7,1250,,\n2,7,,\n",
        ] {
            let read = read_text(text);
            assert_eq!((read.lines.as_slice(), read.faulty.len()), (expected.as_slice(), 0), "{text}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for end in ["\n", "\r\n"] {
            let lines =
                ["service_id,vehicle_model_id,price,note", "1,7,5,\"two", "lines\"", "", "2,7,5,x", ",,,", "3,7,x,"];
            let read = read_text(&lines.join(end));
            assert_eq!(read.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 5]);
            assert_eq!(read.faulty.iter().map(|line| line.number).collect::<Vec<_>>(), [7]);
        }
    }

    #[test]
    fn names_are_read_where_the_file_has_them() {
        let read = read_text("service_id,vehicle_model_id,service,brand,model,price\n1,7,Oil; change,,Activa,5\n");
        assert_eq!(read.lines[0].names, [Some("Oil; change".to_owned()), None, Some("Activa".to_owned())]);
    }

    #[test]
    fn each_faulty_line_has_its_number_and_a_sentence() {
        let read =
            read_text("service_id,vehicle_model_id,price\n1,7,5\n1,7,6\nx,7,5\n1,,5\n1,8,559,00\n1,9,-3\n1,10\n");
        let faulty: Vec<(u64, &str)> = read.faulty.iter().map(|line| (line.number, line.sentence.as_str())).collect();
        assert_eq!(
            faulty,
            [
                (3, "Service 1 and model 7 are in line 2 already."),
                (4, "“x” is no service_id."),
                (5, "“” is no vehicle_model_id."),
                (6, "This line has 4 columns, the first line has 3."),
                (7, "“-3”: Enter an amount above 0."),
                (8, "This line has 2 columns, the first line has 3."),
            ]
        );
        assert_eq!(read.lines, [line_of(2, 1, 7, Some(500))]);
    }

    #[test]
    fn a_file_that_is_no_price_file_is_refused() {
        let header = "The first line has no column “service_id”. It must name service_id, vehicle_model_id and price.";
        assert_eq!(read(b"").unwrap_err(), header);
        assert_eq!(read(b"1,7,559.00\n").unwrap_err(), header);
        assert!(read(b"service_id\xff").unwrap_err().starts_with("The file is not UTF-8."));
        let long = "service_id,vehicle_model_id,price\n".to_owned() + &"1,7,5\n".repeat(25_001);
        assert_eq!(read(long.as_bytes()).unwrap_err(), "The file has more than 25000 lines. Send it in parts.");
    }
}
