//! The bookings that are kept because their money may not match.

use shared::database::MIGRATOR;
use sqlx::PgPool;

use crate::persons::book;

/// What each view of money finds, by a look at all bookings and captures there are.
const FOUND_IN_ALL: &str = "
    select array_agg(found order by found) from (
        select 'paid without capture ' || booking.id
        from bookings booking
        where payment_status <> 'pending'
            and not exists (select from captures where booking_id = booking.id and pays_booking)
        union all
        select 'captured without payment ' || capture.id
        from bookings booking join captures capture on booking_id = booking.id and state = 'captured'
        where payment_status = 'pending' and fits and refunded_paise < amount_paise
        union all
        select 'not given back ' || capture.id
        from captures capture join bookings booking on booking.id = booking_id
        where state = 'captured' and gateway_payment_id is not null and (fits or pays_booking)
            and (not pays_booking or booking_status = 'cancelled') and refunded_paise < amount_paise
        union all
        select 'misfit ' || id from captures
        where state = 'captured' and not fits and not pays_booking and refunded_paise < amount_paise
    ) as all_of_it (found)
";
const FOUND_BY_THE_VIEWS: &str = "
    select array_agg(found order by found) from (
        select 'paid without capture ' || booking_id from money_paid_without_capture
        union all select 'captured without payment ' || capture_id from money_captured_without_payment
        union all select 'not given back ' || capture_id from money_not_given_back
        union all select 'misfit ' || capture_id from money_misfits
    ) as looked_at (found)
";

async fn run(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(statement).execute(pool).await.unwrap();
}

async fn found(pool: &PgPool, statement: &str) -> Option<Vec<String>> {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

async fn kept(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from bookings_with_open_money").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_views_of_money_find_after_each_change_what_a_look_at_all_bookings_finds(pool: PgPool) {
    let booking = book(&pool, "confirmed").await;
    run(
        &pool,
        &format!(
            "insert into payments (booking_id, method, amount_paise, state, receipt, actor)
            values ({booking}, 'cash', 100, 'settled', null, 'test'), ({booking}, 'razorpay', 100, 'open', 'R-1', 'test')"
        ),
    )
    .await;
    let captures = "
        insert into captures (payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at, fits)
        select id, booking_id, ";
    let changes = [
        format!("{captures} null, 'captured', 100, now(), true from payments where method = 'cash'"),
        format!("{captures} 'pay_' || random(), 'captured', 100, now(), true from payments where method = 'razorpay'"),
        format!("{captures} 'pay_' || random(), 'failed', 100, null, true from payments where method = 'razorpay'"),
        format!("{captures} 'pay_' || random(), 'captured', 100, now(), false from payments where method = 'razorpay'"),
        "update bookings set payment_status = 'completed'".to_owned(),
        "update bookings set payment_status = 'pending'".to_owned(),
        "update bookings set payment_status = 'refunded'".to_owned(),
        "update bookings set booking_status = 'cancelled'".to_owned(),
        "update bookings set booking_status = 'completed'".to_owned(),
        "update captures set pays_booking = false".to_owned(),
        "update captures set pays_booking = true where id = (select max(id) from captures where state = 'captured')
            and not exists (select from captures where pays_booking)"
            .to_owned(),
        "update captures set refunded_paise = amount_paise where state = 'captured'".to_owned(),
        "update captures set refunded_paise = 0".to_owned(),
        "update captures set state = 'captured', captured_at = now() where state = 'failed'".to_owned(),
        "delete from captures where id = (select max(id) from captures where gateway_payment_id is not null)"
            .to_owned(),
    ];
    // A generator of one's own, so that a failure repeats.
    let mut random = 1_u64;
    let mut times_found = 0;
    for _ in 0..400 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let change = &changes[usize::try_from(random >> 33).unwrap() % changes.len()];
        run(&pool, change).await;
        let all = found(&pool, FOUND_IN_ALL).await;
        times_found += usize::from(all.is_some());
        assert_eq!(found(&pool, FOUND_BY_THE_VIEWS).await, all, "after {change}");
    }
    assert!((100..400).contains(&times_found), "{times_found} of 400");
    run(
        &pool,
        "update captures set pays_booking = false, refunded_paise = amount_paise where state = 'captured';
        update bookings set payment_status = 'pending'",
    )
    .await;
    assert_eq!(kept(&pool).await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_two_changes_at_once_the_later_one_sees_the_earlier_one(pool: PgPool) {
    let booking = book(&pool, "confirmed").await;
    run(&pool, "update bookings set payment_status = 'completed'").await;
    assert_eq!(kept(&pool).await, 1, "paid without money");
    let mut paying = pool.begin().await.unwrap();
    let pays = format!(
        "with payment as (
            insert into payments (booking_id, method, amount_paise, state, receipt, actor)
            values ({booking}, 'razorpay', 100, 'settled', 'R-1', 'test') returning id
        )
        insert into captures (payment_id, booking_id, gateway_payment_id, state, amount_paise, captured_at, pays_booking)
        select id, {booking}, 'pay_1', 'captured', 100, now(), true from payment"
    );
    sqlx::raw_sql(&pays).execute(&mut *paying).await.unwrap();
    let unpaying = run(&pool, "update bookings set payment_status = 'pending'");
    let committing = async {
        testing::a_lock_is_waited_for(&pool).await;
        paying.commit().await.unwrap();
    };
    tokio::join!(unpaying, committing);
    assert_eq!(found(&pool, FOUND_BY_THE_VIEWS).await, found(&pool, FOUND_IN_ALL).await);
    assert_eq!(kept(&pool).await, 1, "money without a paid booking");
}
