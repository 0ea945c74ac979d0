//! The memory of warm functions: its peak in the report, and what fills it, build by build, by `bench memory DIRECTORY…`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::Connection;

use crate::{
    Effort, Result, Shop,
    case::{Case, WARM_UP},
    instance::Memory,
    one_request::Warm,
    series::number,
    table::table,
};

const COLUMNS: [&str; 9] =
    ["case", "build", "peak", "× bare", "code", "rest of the binary", "libraries", "heap", "stacks and large blocks"];

/// An import gives the shop the capacity of its file, and leaves as many dead rows as there are prices.
const AS_BEFORE: [&str; 2] =
    ["update shops set shop_capacity = 1000000, home_capacity = 1000000", "vacuum (full, analyze) service_prices"];

/// The memory of a function that is not timed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peak {
    pub case: String,
    pub function: String,
    /// In MiB.
    pub peak: f64,
    /// Against the bare function's.
    pub ratio: f64,
}

/// Measures the functions that are not timed. Tables are left as they were, but for some bookings.
pub async fn others(shop: &mut Shop, effort: Effort) -> Result<Vec<Peak>> {
    let binaries = shop.binaries.clone();
    let bare = memory(shop, &binaries, Case::Bare, effort).await?;
    let mut peaks = Vec::new();
    for case in Case::OTHERS {
        let peak = memory(shop, &binaries, case, effort).await?.peak;
        peaks.push(Peak {
            case: case.name().to_owned(),
            function: case.binary().to_owned(),
            peak: mebibytes(peak),
            ratio: number(peak) / number(bare.peak),
        });
    }
    let mut connection = shop.connect(shop.biggest()).await?;
    for statement in AS_BEFORE {
        sqlx::raw_sql(statement).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(peaks)
}

/// Measures each case of these builds; returns a table in MiB.
pub async fn measure(shop: &mut Shop, directories: &[PathBuf], effort: Effort) -> Result<String> {
    let own = shop.binaries.clone();
    let bare = memory(shop, &own, Case::Bare, effort).await?;
    let mut rows = vec![row(Case::Bare, "", bare, bare)];
    for case in Case::of_functions() {
        for directory in directories {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let of_case = memory(shop, directory, case, effort).await?;
            rows.push(row(case, &name, of_case, bare));
        }
    }
    Ok(table(&COLUMNS, &rows))
}

async fn memory(shop: &mut Shop, directory: &Path, case: Case, effort: Effort) -> Result<Memory> {
    // Each build loads what it keeps in the cache itself.
    shop.forget_cached().await?;
    let mut warm = Warm::start(shop, directory, case).await?;
    warm.run(shop, WARM_UP + effort.requests).await?;
    warm.memory()
}

fn row(case: Case, build: &str, memory: Memory, bare: Memory) -> Vec<String> {
    let parts = [memory.code, memory.binary - memory.code, memory.libraries, memory.heap, memory.rest];
    let text = |bytes: u64| format!("{:.2}", mebibytes(bytes));
    let ratio = format!("{:.2}", number(memory.peak) / number(bare.peak));
    [case.name().to_owned(), build.to_owned(), text(memory.peak), ratio].into_iter().chain(parts.map(text)).collect()
}

fn mebibytes(bytes: u64) -> f64 {
    number(bytes) / f64::from(1 << 20)
}
