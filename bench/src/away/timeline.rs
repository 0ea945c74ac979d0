//! What a cold start waited for, and the tables about it.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{FirstAnswer, distance::Flight};
use crate::table::table;

/// A round trip, in milliseconds since the start of the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wait {
    pub server: String,
    /// The connections to all servers, in their order.
    pub connection: usize,
    pub from: f64,
    pub to: f64,
}

/// The round trips before the answer: from the first bytes of a question to the last of its answer.
pub(super) fn waits(flights: &[Flight], born: Instant, whole: Duration) -> Vec<Wait> {
    let mut waits: Vec<(Wait, bool)> = Vec::new();
    for flight in flights.iter().filter(|flight| flight.at - born < whole) {
        let at = (flight.at - born).as_secs_f64() * 1e3;
        let last = waits.iter_mut().rev().find(|(wait, _)| wait.connection == flight.connection);
        match last {
            Some((wait, is_answered)) if flight.is_answer || !*is_answered => {
                wait.to = at;
                *is_answered |= flight.is_answer;
            }
            _ => waits.push((
                Wait { server: flight.server.to_owned(), connection: flight.connection, from: at, to: at },
                false,
            )),
        }
    }
    waits.into_iter().map(|(wait, _)| wait).collect()
}

/// The results as tables: the ratios, and what the last start of each function waited for.
pub fn text(answers: &[FirstAnswer]) -> String {
    let row = |answer: &FirstAnswer| {
        vec![
            answer.case.clone(),
            format!("{:.1}", answer.init),
            format!("{:.1}", answer.whole),
            format!("{:.1}", answer.bare),
            answer.ratio.to_string(),
            answer.beside.map_or_else(|| "–".to_owned(), |ratio| ratio.to_string()),
        ]
    };
    let columns = ["first answer", "init", "whole", "bare in a row", "×bare", "×beside"];
    let mut text = table(&columns, &answers.iter().map(row).collect::<Vec<_>>());
    for answer in answers {
        let row = |wait: &Wait| {
            vec![
                format!("{} {}", wait.server, wait.connection + 1),
                format!("{:.1}", wait.from),
                format!("{:.1}", wait.to),
            ]
        };
        let rows: Vec<Vec<String>> = answer.timeline.iter().map(row).collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "\nRound trips of a first {}, in ms since its start:\n", answer.case);
        text += &table(&["connection", "from", "to"], &rows);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Flight, waits};

    #[test]
    fn a_wait_goes_from_the_first_bytes_of_a_question_to_the_last_of_its_answer() {
        let born = Instant::now();
        let flight = |at: u64, connection, is_answer| Flight {
            at: born + Duration::from_millis(at),
            server: "Redis",
            connection,
            is_answer,
        };
        let flights = [
            flight(1, 0, false),
            flight(2, 0, false),
            flight(3, 1, false),
            flight(5, 0, true),
            flight(6, 0, true),
            flight(7, 0, false),
            flight(8, 1, true),
            flight(9, 0, true),
            flight(20, 0, false),
        ];
        let waits: Vec<(usize, f64, f64)> = waits(&flights, born, Duration::from_millis(15))
            .into_iter()
            .map(|wait| (wait.connection, wait.from.round(), wait.to.round()))
            .collect();
        assert_eq!(waits, [(0, 1.0, 6.0), (1, 3.0, 8.0), (0, 7.0, 9.0)]);
    }
}
