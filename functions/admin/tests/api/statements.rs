//! Statements per page: one for the session, and at most two for the page.

use admin::{Access, ROUTES};
use shared::database::Database;
use sqlx::PgPool;
use testing::Network;

use crate::{World, panel_on};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_page_takes_at_most_three_statements(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    world.seven().await;
    let owner = world.owner().await;
    let options = (*pool.connect_options()).clone();
    let network = Network::to(&format!("{}:{}", options.get_host(), options.get_port())).await;
    let database = Database::new(options.host("127.0.0.1").port(network.port()));
    let owner = owner.through(&panel_on(&database, &world.descope.url(), &world.redis, &world.redis));
    let mut too_many = Vec::new();
    for route in ROUTES.iter().filter(|route| route.method == "get" && route.access != Access::Anyone) {
        let id = if route.path.contains("vehicle-types") || route.path.contains("users") { "1" } else { "7" };
        let query = if route.path.starts_with("/admin/prices/") { "/?brand=3" } else { "/" };
        let path = route.path.replace("{id}", id) + if route.path.strip_suffix(".csv").is_some() { "" } else { query };
        // The first request prepares the statements.
        for _ in 0..2 {
            assert_eq!(owner.get(&path).await.status, 200, "{path}");
        }
        let pool = database.pool();
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
        let before = network.requests();
        owner.get(&path).await;
        testing::eventually("the connection is back", async || pool.num_idle() == 1).await;
        let count = network.requests() - before;
        let is_growing = GROWING.contains(&path.as_str());
        if count > STATEMENTS + if is_growing { OF_A_TRANSACTION } else { PINGS } {
            too_many.push((path, count));
        }
    }
    assert_eq!(too_many, []);
}

const STATEMENTS: usize = 3;
/// Lists that grow with the bookings are read in a transaction, planned for their filters.
const GROWING: [&str; 4] = ["/admin/bookings/", "/admin/payments/", "/admin/messages/", "/admin/customers/"];
/// Begin, rollback, and the pings after the session's statement and after the transaction.
const OF_A_TRANSACTION: usize = 4;
/// The pool pings a connection when it is given out and when it comes back.
const PINGS: usize = 3;
