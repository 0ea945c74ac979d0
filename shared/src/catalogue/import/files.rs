//! Parses and validates the files of the catalogue.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Display,
    hash::Hash,
    ops::RangeInclusive,
};

use csv::{Position, ReaderBuilder, StringRecord};

use super::{
    fault::{Fault, FaultyFiles},
    shop_file::{self, Shop},
};
use crate::{
    catalogue::{
        prices::HIGHEST,
        services::MINUTES,
        vehicle_models::{ENGINE_CC, FUELS},
    },
    ids::{ServiceCategoryId, ServiceId, VehicleBrandId, VehicleModelId, VehicleTypeId},
    money::Money,
    text::{Lines, Unclean, clean},
};

/// File contents by file name, as in the import event.
pub type Files = BTreeMap<String, String>;

/// A validated catalogue: every reference points to a row; every id, name and priced pair is unique.
#[derive(Debug)]
pub struct Catalogue {
    pub(super) types: Vec<VehicleType>,
    pub(super) brands: Vec<VehicleBrand>,
    pub(super) models: Vec<VehicleModel>,
    pub(super) categories: Vec<ServiceCategory>,
    pub(super) services: Vec<Service>,
    pub(super) prices: Vec<Price>,
    pub(super) shop: Shop,
}

#[derive(Debug)]
pub(super) struct VehicleType {
    pub(super) id: VehicleTypeId,
    pub(super) name: String,
    pub(super) slug: String,
}

#[derive(Debug)]
pub(super) struct VehicleBrand {
    pub(super) id: VehicleBrandId,
    pub(super) type_id: VehicleTypeId,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct VehicleModel {
    pub(super) id: VehicleModelId,
    pub(super) brand_id: VehicleBrandId,
    pub(super) name: String,
    pub(super) engine_cc: Option<i32>,
    pub(super) fuel: String,
}

#[derive(Debug)]
pub(super) struct ServiceCategory {
    pub(super) id: ServiceCategoryId,
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) id: ServiceId,
    pub(super) category_id: ServiceCategoryId,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) duration_minutes: i32,
}

#[derive(Debug)]
pub(super) struct Price {
    pub(super) service_id: ServiceId,
    pub(super) model_id: VehicleModelId,
    pub(super) price: Money,
}

/// Parses all seven files and checks the references between them.
pub fn parse(files: &Files) -> Result<Catalogue, FaultyFiles> {
    let mut faults = Vec::new();

    let types = table(files, "vehicle_types.csv", &["id", "name", "slug"], &mut faults, |row| {
        Some(VehicleType { id: row.id("id")?, name: row.text("name")?, slug: row.text("slug")? })
    });
    let brands = table(files, "vehicle_brands.csv", &["id", "vehicle_type_id", "name"], &mut faults, |row| {
        Some(VehicleBrand { id: row.id("id")?, type_id: row.id("vehicle_type_id")?, name: row.text("name")? })
    });
    let model_columns = &["id", "vehicle_brand_id", "name", "engine_cc", "fuel"];
    let models = table(files, "vehicle_models.csv", model_columns, &mut faults, |row| {
        Some(VehicleModel {
            id: row.id("id")?,
            brand_id: row.id("vehicle_brand_id")?,
            name: row.text("name")?,
            engine_cc: row.within_or_empty("engine_cc", ENGINE_CC)?,
            fuel: row.choice("fuel", &FUELS)?,
        })
    });
    let categories = table(files, "service_categories.csv", &["id", "name", "description"], &mut faults, |row| {
        Some(ServiceCategory { id: row.id("id")?, name: row.text("name")?, description: row.lines("description")? })
    });
    let service_columns = &["id", "service_category_id", "name", "description", "duration_minutes"];
    let services = table(files, "services.csv", service_columns, &mut faults, |row| {
        Some(Service {
            id: row.id("id")?,
            category_id: row.id("service_category_id")?,
            name: row.text("name")?,
            description: row.lines("description")?,
            duration_minutes: row.within("duration_minutes", MINUTES)?,
        })
    });
    let price_columns = &["service_id", "vehicle_model_id", "price"];
    let prices = table(files, "service_pricing.csv", price_columns, &mut faults, |row| {
        Some(Price {
            service_id: row.id("service_id")?,
            model_id: row.id("vehicle_model_id")?,
            price: row.price("price")?,
        })
    });
    let shop = match files.get(shop_file::FILE) {
        Some(text) => shop_file::parse(text).map_err(|fault| faults.push(fault)).ok(),
        None => missing(shop_file::FILE, &mut faults),
    };

    types.once("id", |row| row.id, &mut faults);
    types.once("name", |row| row.name.clone(), &mut faults);
    brands.once("id", |row| row.id, &mut faults);
    brands.once("name", |row| (row.type_id, row.name.clone()), &mut faults);
    brands.refers("vehicle_type_id", |row| row.type_id, types.ids(|row| row.id).as_ref(), &mut faults);
    models.once("id", |row| row.id, &mut faults);
    models.once("name", |row| (row.brand_id, row.name.clone()), &mut faults);
    models.refers("vehicle_brand_id", |row| row.brand_id, brands.ids(|row| row.id).as_ref(), &mut faults);
    categories.once("id", |row| row.id, &mut faults);
    categories.once("name", |row| row.name.clone(), &mut faults);
    services.once("id", |row| row.id, &mut faults);
    services.once("name", |row| row.name.clone(), &mut faults);
    services.refers("service_category_id", |row| row.category_id, categories.ids(|row| row.id).as_ref(), &mut faults);
    prices.once("vehicle_model_id", |row| (row.service_id, row.model_id), &mut faults);
    prices.refers("service_id", |row| row.service_id, services.ids(|row| row.id).as_ref(), &mut faults);
    prices.refers("vehicle_model_id", |row| row.model_id, models.ids(|row| row.id).as_ref(), &mut faults);

    match shop {
        Some(shop) if faults.is_empty() => Ok(Catalogue {
            types: types.rows(),
            brands: brands.rows(),
            models: models.rows(),
            categories: categories.rows(),
            services: services.rows(),
            prices: prices.rows(),
            shop,
        }),
        _ => Err(FaultyFiles(faults)),
    }
}

/// The number of cells up to the last that is not empty: spreadsheets end every line with as many commas as the widest has.
fn cells(record: &StringRecord) -> usize {
    (1..).zip(record).filter(|(_, cell)| !cell.trim().is_empty()).last().map_or(0, |(number, _)| number)
}

/// Column names of a file, in order.
type Columns = &'static [&'static str];

/// Rows of a file, each with its line number.
struct Table<T> {
    file: &'static str,
    columns: Columns,
    rows: Vec<(u64, T)>,
    /// Some rows could not be parsed, so references to this file are not checked: they would be false faults.
    has_holes: bool,
}

fn table<T>(
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
    fn rows(self) -> Vec<T> {
        self.rows.into_iter().map(|(_, row)| row).collect()
    }

    fn ids<K: Eq + Hash>(&self, id: impl Fn(&T) -> K) -> Option<HashSet<K>> {
        (!self.has_holes).then(|| self.rows.iter().map(|(_, row)| id(row)).collect())
    }

    fn once<K: Eq + Hash>(&self, column: &str, key: impl Fn(&T) -> K, faults: &mut Vec<Fault>) {
        let mut lines: HashMap<K, u64> = HashMap::with_capacity(self.rows.len());
        for (line, row) in &self.rows {
            if let Some(first) = lines.get(&key(row)) {
                faults.push(self.fault(*line, column, format!("the same stands in line {first}")));
            } else {
                lines.insert(key(row), *line);
            }
        }
    }

    fn refers<K: Eq + Hash + Display>(
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
struct Row<'a> {
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
    fn lines(&mut self, column: &str) -> Option<String> {
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
    fn text(&mut self, column: &str) -> Option<String> {
        match self.any(column)? {
            text if text.is_empty() => self.fault(column, "a value is needed"),
            text => Some(text),
        }
    }

    fn choice(&mut self, column: &str, choices: &[&str]) -> Option<String> {
        match self.any(column)? {
            text if choices.contains(&text.as_str()) => Some(text),
            text => self.fault(column, &format!("\"{text}\" is none of {}", choices.join(", "))),
        }
    }

    fn id<K: From<i64>>(&mut self, column: &str) -> Option<K> {
        match whole(&self.any(column)?).parse() {
            Ok(id) if id > 0 => Some(K::from(id)),
            _ => self.fault(column, "a whole number from 1 is needed"),
        }
    }

    fn within(&mut self, column: &str, range: RangeInclusive<i32>) -> Option<i32> {
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
    fn within_or_empty(&mut self, column: &str, range: RangeInclusive<i32>) -> Option<Option<i32>> {
        if self.any(column)?.is_empty() { Some(None) } else { self.within(column, range).map(Some) }
    }

    fn price(&mut self, column: &str) -> Option<Money> {
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

fn missing<T>(file: &'static str, faults: &mut Vec<Fault>) -> Option<T> {
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
