//! The proof of a booking's number by a code.

use shared::{bookings::links::Scope, throttle::Limit};
use sqlx::PgPool;

use crate::{PHONE, World, throttle};

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_code_proves_the_booking_and_opens_no_account(pool: PgPool) {
    let world = World::new(pool).await;
    let (booking, other) = (world.book("12:00", true).await, world.book("14:00", true).await);
    let link = world.link(booking, Scope::Change).await;
    let unproved = "select count(*) from bookings where is_unproved";
    assert!(world.client.get(&link).await.text.contains("Confirm your number"));
    let page = world.client.submit(&format!("{link}code/"), &[]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("••••••••10") && !page.text.contains("98765"), "{}", page.text);
    let code = world.descope.inbox(PHONE)[0].code.clone().unwrap();
    let path = format!("{link}code/check/");
    for wrong in ["000000", "", "x"] {
        let refused = world.client.submit(&path, &[("code", wrong)]).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
        assert!(refused.text.contains("The code is wrong or has expired."));
    }
    assert_eq!(world.value::<i64>(unproved).await, 2);
    let proved = world.client.submit(&path, &[("code", &format!("{} {}", &code[..3], &code[3..]))]).await;
    assert_eq!(
        (proved.status, proved.header("location")),
        (303, format!("{link}?done=proved").as_str()),
        "{}",
        proved.text
    );
    assert_eq!(proved.cookies, Vec::<String>::new());
    assert_eq!(world.value::<i64>(unproved).await, 0, "the other booking of the number, {other}, is proved too");
    let open = "select count(*) from user_sessions where revoked_at is null";
    assert_eq!(world.value::<i64>(open).await, 0);
    assert_eq!(world.value::<i64>("select sum(unproved)::bigint from slot_usage").await, 0);
    let page = world.client.get(proved.header("location")).await;
    assert!(page.text.contains("Your number is confirmed.") && !page.text.contains("/code/"), "{}", page.text);
    for again in ["code/", "code/check/"] {
        assert_eq!(world.client.submit(&format!("{link}{again}"), &[("code", &code)]).await.status, 303);
    }
    assert_eq!(world.descope.inbox(PHONE).len(), 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn codes_and_tries_are_limited_as_everywhere(pool: PgPool) {
    let world = World::new(pool).await;
    let booking = world.book("12:00", true).await;
    let link = world.link(booking, Scope::Change).await;
    let client = world.changed(|app| {
        app.sign_in.throttle = throttle();
        app.sign_in.limits.tries_per_identifier =
            Limit::new("tries-per-identifier", 2, std::time::Duration::from_mins(1));
    });
    assert_eq!(client.submit(&format!("{link}code/"), &[]).await.status, 200);
    let second = client.submit(&format!("{link}code/"), &[]).await;
    assert_eq!(second.status, 429);
    assert!(second.text.contains("Please wait a little") && second.text.contains("name=\"code\""), "{}", second.text);
    for status in [400, 400, 429] {
        assert_eq!(client.submit(&format!("{link}code/check/"), &[("code", "000000")]).await.status, status);
    }
    assert_eq!(world.descope.inbox(PHONE).len(), 1);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn a_number_of_a_country_that_gets_no_codes_is_told_so(pool: PgPool) {
    let world = World::new(pool).await;
    let booking = world.book("12:00", true).await;
    let link = world.link(booking, Scope::Change).await;
    world.run("update customers set phone = '+4915112345678'").await;
    let refused = world.client.submit(&format!("{link}code/"), &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("No code can be sent to this number."), "{}", refused.text);
}
