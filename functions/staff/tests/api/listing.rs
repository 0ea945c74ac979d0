//! Finding bookings: filters, search and order, and where a list is cut.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::database::MIGRATOR;
use sqlx::PgPool;
use testing::{Answer, Client};

use super::{
    book, desk, ids, monday,
    paging::{page_of, path},
    path_of,
};

async fn found(desk: &Client, query: &str) -> Vec<i64> {
    ids(&desk.get(&format!("/api/staff/bookings/?{query}")).await)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_are_listed_in_full_by_date_time_and_newest_first(pool: PgPool) {
    let desk = desk(&pool).await;
    let empty = desk.get("/api/staff/bookings/").await;
    let message = "Bookings retrieved successfully";
    assert_eq!(empty.body, json!({ "error": false, "message": message, "data": [], "count": 0 }));
    let mut booked = Vec::new();
    for (date, time) in [
        ("2026-03-02", "10:00"),
        ("2026-03-01", "15:00"),
        ("2026-03-01", "09:00"),
        ("2026-03-01", "15:00"),
        ("2025-12-31", "18:00"),
    ] {
        booked.push(book(&pool, &json!({ "date": date, "time": time })).await);
    }
    let mut whole = Vec::new();
    for index in [4, 2, 3, 1, 0] {
        whole.push(desk.get(&path_of(booked[index])).await.body["data"].clone());
    }
    let answer = desk.get("/api/staff/bookings/").await;
    assert_eq!(answer.body, json!({ "error": false, "message": message, "data": whole, "count": 5 }));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_client_that_takes_gzip_gets_the_same_list(pool: PgPool) {
    let desk = desk(&pool).await;
    let packing = desk.with("Accept-Encoding", "gzip");
    let empty = packing.get("/api/staff/bookings/").await;
    assert_eq!((empty.header("content-encoding"), &empty.body["data"]), ("", &json!([])), "too small to gain by it");
    for day in 1..=9 {
        book(&pool, &json!({ "date": format!("2026-03-0{day}") })).await;
    }
    for path in ["/api/staff/bookings/", "/api/staff/bookings/?page_size=4&page=2"] {
        let (plain, packed) = (desk.get(path).await, packing.get(path).await);
        assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
        assert_eq!(packed.unpacked(), plain.text);
        assert!(plain.body["data"].as_array().unwrap().len() >= 4, "{}", plain.text);
        let about = |answer: &Answer| {
            let varies: BTreeSet<String> = answer.header("vary").split(", ").map(str::to_owned).collect();
            (varies, answer.header("content-type").to_owned(), answer.header("cache-control").to_owned())
        };
        assert_eq!(about(&packed), about(&plain));
        assert!(about(&packed).0.contains("accept-encoding"), "{:?}", about(&packed));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_filter_finds_its_bookings_and_all_filters_must_match(pool: PgPool) {
    let desk = desk(&pool).await;
    let samples = [
        json!({ "date": "2026-03-01", "status": "pending", "payment": "pending", "location": "shop" }),
        json!({
            "date": "2026-03-02", "status": "confirmed", "payment": "completed", "location": "home", "method": "razorpay"
        }),
        json!({ "date": "2026-03-03", "status": "in_progress", "payment": "refunded", "location": "shop" }),
        json!({ "date": "2026-03-04", "status": "completed", "payment": "completed", "location": "home" }),
        json!({ "date": "2026-03-05", "status": "cancelled", "payment": "pending", "location": "home" }),
    ];
    for sample in &samples {
        book(&pool, sample).await;
    }
    for (query, expected) in [
        ("", vec![1, 2, 3, 4, 5]),
        ("status=pending", vec![1]),
        ("status=confirmed", vec![2]),
        ("status=in_progress", vec![3]),
        ("status=completed", vec![4]),
        ("status=cancelled", vec![5]),
        ("payment_status=pending", vec![1, 5]),
        ("payment_status=completed", vec![2, 4]),
        ("payment_status=refunded", vec![3]),
        ("payment_method=razorpay", vec![2]),
        ("payment_method=cash&service_location=home", vec![4, 5]),
        ("service_location=shop", vec![1, 3]),
        ("service_location=home", vec![2, 4, 5]),
        ("date=2026-03-03", vec![3]),
        ("date=2026-04-03", vec![]),
        ("date_from=2026-03-04", vec![4, 5]),
        ("date_to=2026-03-02", vec![1, 2]),
        ("date_from=2026-03-02&date_to=2026-03-04", vec![2, 3, 4]),
        ("date_from=2026-03-02&date_to=2026-03-02", vec![2]),
        ("date_from=2026-03-02&date=2026-03-01", vec![]),
        ("date_from=2026-03-02&payment_status=completed&service_location=home&status=completed", vec![4]),
        ("payment_status=completed&search=doe&date_to=2026-03-03", vec![2]),
        // A form sends empty fields too.
        (
            "status=&date=&date_from=&date_to=&search=&payment_status=&payment_method=&service_location=\
            &ordering=&unknown=x",
            vec![1, 2, 3, 4, 5],
        ),
    ] {
        let whole = desk.get(&format!("/api/staff/bookings/?{query}")).await;
        assert_eq!((ids(&whole), &whole.body["count"]), (expected.clone(), &json!(expected.len())), "{query}");
        let page = desk.get(&format!("/api/staff/bookings/?{query}&page_size=1")).await;
        assert_eq!(page.body["count"], expected.len(), "{query}");
        assert_eq!(ids(&page), expected.into_iter().take(1).collect::<Vec<_>>());
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn all_invalid_filters_are_reported_at_once_under_their_fields(pool: PgPool) {
    let desk = desk(&pool).await;
    let format = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
    let choice = |word: &str| json!([format!("\"{word}\" is not a valid choice.")]);
    for (query, details) in [
        (
            "status=moon&date=soon&date_from=2026-02-30&date_to=01-11-2025&payment_status=paid&service_location=Shop\
            &payment_method=card&ordering=name&limit=0&page=0&page_size=101",
            json!({
                "status": choice("moon"), "date": [format], "date_from": [format], "date_to": [format],
                "payment_status": choice("paid"), "service_location": choice("Shop"), "payment_method": choice("card"),
                "ordering": choice("name"), "limit": ["Ensure this value is greater than or equal to 1."],
                "page": ["Ensure this value is greater than or equal to 1."],
                "page_size": ["Ensure this value is less than or equal to 100."],
            }),
        ),
        (
            "date_from=2026-03-02&date_to=2026-03-01&status=x",
            json!({ "date_to": ["Ensure this date is not before date_from."], "status": choice("x") }),
        ),
        ("search=%00", json!({ "search": ["Null characters are not allowed."] })),
        ("page=x", json!({ "page": ["A valid integer is required."] })),
        ("limit=few", json!({ "limit": ["A valid integer is required."] })),
        ("ordering=-name", json!({ "ordering": choice("-name") })),
    ] {
        let refused = desk.get(&format!("/api/staff/bookings/?{query}")).await;
        assert_eq!((refused.status, &refused.body["details"]), (400, &details), "{query}");
        assert_eq!(refused.body["code"], "VALIDATION_ERROR");
    }
    let long = desk.get(&format!("/api/staff/bookings/?search={}", "x".repeat(1001))).await;
    assert_eq!(long.status, 400);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_search_finds_parts_of_names_and_numbers_and_references_and_ids_in_any_spelling(pool: PgPool) {
    let desk = desk(&pool).await;
    for sample in [
        json!({ "name": "Ramesh Kumar", "email": "ramesh@example.com", "phone": "+919876500001" }),
        json!({ "name": "Sita_Rao", "email": "50%off@example.com", "phone": "+919876500002" }),
        json!({ "name": "रमेश कुमार", "email": null, "phone": "+1234567890" }),
        json!({ "time": "09:00", "name": "back\\slash", "email": "ÄRGER@example.com", "phone": "+919876500001" }),
        // As the catalogue of names has it after normalisation: the letter and its dot are two characters.
        json!({ "time": "11:00", "name": "अज\u{93c}ीज\u{93c}", "email": null, "phone": "+447700900123" }),
    ] {
        book(&pool, &sample).await;
    }
    let reference: String =
        sqlx::query_scalar("select reference from bookings where id = 3").fetch_one(&pool).await.unwrap();
    // The fourth booking comes first and the fifth last because of their times.
    let (whole, part) = (reference.to_lowercase(), &reference[..9]);
    let plain = whole.replace('-', "").replace("rmb", "");
    let none: Vec<i64> = Vec::new();
    for (search, mut expected) in [
        ("ramesh", vec![1]),
        ("MESH KU", vec![1]),
        ("  kumar ", vec![1]),
        ("a", vec![1, 2, 4]),
        ("EXAMPLE.com", vec![1, 2, 4]),
        ("ramesh@example.com", vec![1]),
        ("कुमा", vec![3]),
        ("ärger", vec![4]),
        ("A\u{308}rger", vec![4]),
        ("अ\u{95b}ीज", vec![5]),
        ("अज\u{93c}ी", vec![5]),
        ("_", vec![2]),
        ("%25", vec![2]),
        ("50%25off", vec![2]),
        ("%25%25", none.clone()),
        ("Sita Rao", none.clone()),
        ("%5C", vec![4]),
        ("k%5Cslash", vec![4]),
        ("9876500001", vec![1, 4]),
        ("%2B91%2098765%2000001", vec![1, 4]),
        ("098765-00001", vec![1, 4]),
        ("98765", vec![1, 2, 4]),
        ("987650000", vec![1, 2, 4]),
        ("(98765) 00002", vec![2]),
        ("0987", vec![1, 2, 4]),
        ("%2B44 7700", vec![5]),
        ("123", vec![3, 5]),
        ("12", none.clone()),
        ("3", vec![3]),
        ("%234", vec![4]),
        ("%2B1234567890", vec![3]),
        ("+1234567890", vec![3]),
        (whole.as_str(), vec![3]),
        (plain.as_str(), vec![3]),
        (part, none.clone()),
        ("'; drop table bookings; --", none),
    ] {
        expected.sort_by_key(|id| (*id == 5, *id != 4, -id));
        assert_eq!(found(&desk, &format!("search={}", search.replace(' ', "%20"))).await, expected, "{search}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bookings_are_ordered_as_asked_and_of_equal_ones_the_newest_comes_first(pool: PgPool) {
    let desk = desk(&pool).await;
    for (date, time, paise) in [
        ("2026-03-02", "10:00", 100),
        ("2026-03-01", "15:00", 300),
        ("2026-03-01", "09:00", 200),
        ("2026-03-01", "15:00", 300),
    ] {
        book(&pool, &json!({ "date": date, "time": time, "paise": paise })).await;
    }
    sqlx::query("update bookings set created_at = now() - interval '1 day' where id in (2, 4)")
        .execute(&pool)
        .await
        .unwrap();
    for (ordering, expected) in [
        ("", [3, 4, 2, 1]),
        ("appointment_date", [3, 4, 2, 1]),
        ("-appointment_date", [1, 4, 2, 3]),
        ("created_at", [4, 2, 1, 3]),
        ("-created_at", [3, 1, 4, 2]),
        ("total_amount", [1, 3, 4, 2]),
        ("-total_amount", [4, 2, 3, 1]),
    ] {
        assert_eq!(found(&desk, &format!("ordering={ordering}")).await, expected, "{ordering}");
        assert_eq!(found(&desk, &format!("ordering={ordering}&limit=3")).await, expected[..3], "{ordering}");
        let second = desk.get(&format!("/api/staff/bookings/?ordering={ordering}&page_size=2&page=2")).await;
        assert_eq!((ids(&second), &second.body["count"]), (expected[2..].to_vec(), &json!(4)), "{ordering}");
    }
    let limited = desk.get("/api/staff/bookings/?limit=1").await.body;
    assert_eq!((&limited["count"], limited.get("next")), (&json!(4), None));
    assert_eq!(found(&desk, "limit=100000").await.len(), 4);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_is_never_longer_than_500(pool: PgPool) {
    let desk = desk(&pool).await;
    for number in 0..3 {
        book(&pool, &json!({ "date": monday(), "phone": format!("+91987650000{number}") })).await;
    }
    many(&pool, 600).await;
    // The latest appointments, in the usual order; the earliest are left out.
    book(&pool, &json!({ "date": "2026-03-01" })).await;
    let listed = found(&desk, "").await;
    assert_eq!((listed.len(), listed.first(), listed.last()), (500, Some(&603), Some(&104)));
    let last = desk.get("/api/staff/bookings/?page_size=100&page=7").await;
    assert_eq!((&last.body["count"], ids(&last)), (&json!(604), vec![4, 3, 2, 1]));
}

/// Copies the booking 1 so many times.
async fn many(pool: &PgPool, count: i32) {
    let copy = "
        begin;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at)
        select 'R' || n, customer_id, customer_name, vehicle_model_id, service_location, appointment_date,
            appointment_time, occupied_minutes, slot_times, duration_minutes, 1, payment_method, access_token_sha256,
            access_token_expires_at
        from bookings, generate_series(1, COUNT) n where bookings.id = 1;
        insert into booking_services (booking_id, service_id, price_paise)
        select id, 4, 1 from bookings where reference ~ '^R[0-9]';
        commit";
    sqlx::raw_sql(&copy.replace("COUNT", &count.to_string())).execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_that_one_answer_cannot_hold_is_cut_to_its_last_page(pool: PgPool) {
    let desk = desk(&pool).await;
    book(&pool, &json!({})).await;
    // A quotation mark takes four bytes of an answer.
    sqlx::raw_sql(
        "begin;
        insert into bookings (reference, customer_id, customer_name, vehicle_model_id, service_location, address, notes,
            appointment_date, appointment_time, occupied_minutes, slot_times, duration_minutes, total_paise,
            payment_method, access_token_sha256, access_token_expires_at, internal_notes)
        select 'R' || n, customer_id, customer_name, vehicle_model_id, service_location, repeat(chr(34), 500),
            repeat(chr(34), 1000), appointment_date + n, appointment_time, occupied_minutes, slot_times, duration_minutes, 1,
            payment_method, access_token_sha256, access_token_expires_at, repeat(chr(34), 1000)
        from bookings, generate_series(1, 520) n where bookings.id = 1;
        insert into booking_services (booking_id, service_id, price_paise) select id, 4, 1 from bookings where id > 1;
        commit",
    )
    .execute(&pool)
    .await
    .unwrap();
    let listed = desk.get("/api/staff/bookings/").await;
    assert!(listed.text.len() < 5_500_000, "{}", listed.text.len());
    assert_eq!(
        (ids(&listed), &listed.body["count"]),
        ((501..=521).collect::<Vec<i64>>(), &json!(521)),
        "the latest appointments"
    );
    assert_eq!((&listed.body["next"], page_of(&listed, "previous")), (&Value::Null, Some(5)));
    assert_eq!(ids(&desk.get(path(&listed, "previous").unwrap()).await), (401..=500).collect::<Vec<i64>>());
    let ordered = desk.get("/api/staff/bookings/?ordering=-appointment_date").await;
    assert_eq!(ids(&ordered), (422..=521).rev().collect::<Vec<i64>>());
    assert_eq!(page_of(&ordered, "next"), Some(2));
    assert_eq!(
        ids(&desk.get(path(&ordered, "next").unwrap()).await),
        (322..=421).rev().collect::<Vec<i64>>(),
        "the same order"
    );
}
