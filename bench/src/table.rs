//! Tables that read well in a terminal and in Markdown.

use std::fmt::Write;

/// A table of these columns; the first one is text, the others are numbers.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let heads: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let width = |place: usize| {
        let cells = rows.iter().chain([&heads]).filter_map(|row| row.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        row.iter().zip(&widths).enumerate().fold("|".to_owned(), |mut line, (place, (cell, width))| {
            let _ = if place == 0 { write!(line, " {cell:<width$} |") } else { write!(line, " {cell:>width$} |") };
            line
        })
    };
    let rule = widths.iter().enumerate().fold("|".to_owned(), |mut line, (place, width)| {
        let _ = write!(line, "{}{}|", "-".repeat(width + 1), if place == 0 { '-' } else { ':' });
        line
    });
    let rows = rows.iter().map(line).collect::<Vec<_>>().join("\n");
    format!("{}\n{rule}\n{rows}\n", line(&heads))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["cached read".to_owned(), "1.2".to_owned()], vec!["é".to_owned(), "10".to_owned()]];
        let expected = "\
| case        | times |
|-------------|------:|
| cached read |   1.2 |
| é           |    10 |
";
        assert_eq!(table(&["case", "times"], &rows), expected);
    }
}
