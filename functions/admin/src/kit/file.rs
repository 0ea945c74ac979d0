//! CSV files of exactly the rows that a list shows.

use std::fmt::Write;

use axum::{body::Body, response::Response};
use chrono::Utc;
use lambda_http::http::{HeaderValue, header};
use shared::{Error, Result};

use super::{list::Column, page::Place, rows::Rows};

/// Bytes of a CSV file: a function may answer 6 MB, and base64 makes four thirds of a file that is not compressed.
const LARGEST_FILE: usize = 4_500_000;

/// The rows as a CSV file: UTF-8 with a byte order mark, for spreadsheets. Its last line says when rows are missing.
pub(crate) fn file<R>(place: Place, columns: &[Column<R>], rows: &Rows<R>) -> Result<Response> {
    let mut text = String::from("\u{feff}");
    line(&mut text, columns.iter().map(|column| column.title.to_owned()))?;
    let mut written = 0_i64;
    for row in &rows.rows {
        let before = text.len();
        line(&mut text, columns.iter().map(|column| (column.cell)(row).csv()))?;
        if text.len() > LARGEST_FILE {
            text.truncate(before);
            break;
        }
        written += 1;
    }
    if written < rows.count {
        let _ = write!(text, "\"Cut: {written} of {} rows. Filter for fewer.\"\r\n", rows.count);
    }
    let name = place.path.trim_end_matches('/').rsplit('/').next().unwrap_or("list");
    let named = format!("attachment; filename=\"{name}-{}.csv\"", Utc::now().format("%Y-%m-%d"));
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    // Not text/csv: the Lambda adapter decodes what it takes for text, and drops the byte order mark.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&named).map_err(Error::internal)?);
    Ok(response)
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.collect::<Vec<_>>()).map_err(Error::internal)?;
    let bytes = writer.into_inner().map_err(|error| Error::internal(error.to_string()))?;
    text.push_str(&String::from_utf8(bytes).map_err(Error::internal)?);
    Ok(())
}
