//! `bench reads DIRECTORY…`: the cached read of several builds in turns, each against the one named before it.

use std::path::{Path, PathBuf};

use crate::{
    Effort, Result, Shop,
    case::{Case, WARM_UP, give_cached_read_to_bare},
    instance::Instance,
    one_request::{Warm, turns},
    series::Ratio,
    table::table,
};

/// More than in the whole bench: builds that follow each other differ by little.
const ROUNDS: usize = 3;

/// Measures the builds in these directories; returns a table.
pub async fn measure(shop: &mut Shop, directories: &[PathBuf], effort: Effort) -> Result<String> {
    give_cached_read_to_bare(shop).await?;
    let mut builds = vec![Warm::start(shop, &shop.binaries, Case::BareRedis).await?];
    for (place, directory) in directories.iter().enumerate() {
        builds.push(Warm::of(Case::CachedRead, instance(shop, place, directory).await?));
    }
    for build in &mut builds {
        build.run(shop, WARM_UP).await?;
    }
    for round in 0..effort.rounds * ROUNDS {
        for place in turns(builds.len(), round) {
            if let Some(build) = builds.get_mut(place) {
                build.round(shop, effort).await?;
            }
        }
    }
    Ok(text(directories, &builds))
}

/// Each build has a part of Redis to itself: their entries may have other forms under the same name.
async fn instance(shop: &Shop, place: usize, directory: &Path) -> Result<Instance> {
    let mut environment = shop.environment(shop.biggest());
    for (_, prefix) in environment.iter_mut().filter(|(variable, _)| variable == "REDIS_KEY_PREFIX") {
        *prefix = format!("{prefix}{place}:");
    }
    shop.start_from(directory, Case::CachedRead.binary(), &environment).await
}

fn text(directories: &[PathBuf], builds: &[Warm]) -> String {
    let Some((bare, reads)) = builds.split_first() else { return String::new() };
    let rows: Vec<Vec<String>> = directories
        .iter()
        .zip(reads)
        .enumerate()
        .map(|(place, (directory, read))| {
            let before = place.checked_sub(1).and_then(|place| reads.get(place));
            let shown = |ratio: Option<Ratio>| ratio.map_or_else(|| "–".to_owned(), |ratio| ratio.to_string());
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            vec![
                name.into_owned(),
                shown(before.map(|before| read.times.against(&before.times))),
                shown(before.map(|before| read.cpu_against(before))),
                read.times.against(&bare.times).to_string(),
                read.cpu_against(bare).to_string(),
            ]
        })
        .collect();
    table(&["build", "p50 × before", "CPU × before", "p50 × bare + GET", "CPU × bare + GET"], &rows)
}
