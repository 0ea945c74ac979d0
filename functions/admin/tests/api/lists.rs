//! Every list: its columns, order, filters, search, pages and file.

mod catalogue;
mod rows;
mod shop;
mod table;
mod walk;

use sqlx::PgPool;

use crate::{World, customers::run};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn every_list_shows_sorts_filters_finds_counts_and_exports_what_it_should(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    rows::fill(&world).await;
    // How files write values.
    run(
        &world,
        "create function file_time(moment timestamptz) returns text stable
            return to_char(shop_clock(moment), 'YYYY-MM-DD HH24:MI:SS');
        create function file_money(paise bigint) returns text immutable
            return to_char(paise / 100.0, 'FM999999990.00');
        create function file_flag(flag boolean) returns text immutable return case when flag then 'Yes' else 'No' end;",
    )
    .await;
    for list in catalogue::LISTS.iter().chain(shop::LISTS) {
        walk::Walk { world: &world, owner: &owner, list }.all().await;
    }
}
