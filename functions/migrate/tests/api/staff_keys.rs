//! Staff keys: adding, listing and revoking.

use serde_json::{Value, json};
use shared::{database::MIGRATOR, staff::sha256};
use sqlx::PgPool;

use crate::{app, handle};

fn add_key(label: &str) -> Value {
    json!({ "action": "add_staff_key", "label": label })
}

/// The label and the stored hash of each valid key.
async fn valid_keys(pool: &PgPool) -> Vec<(String, Vec<u8>)> {
    sqlx::query_as("select label, key_sha256 from staff_keys where revoked_at is null order by id")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_is_shown_once_and_only_its_hash_is_stored(pool: PgPool) {
    let app = app(&pool);
    let added = handle(&app, add_key("Front desk")).await.unwrap();
    let key = added["key"].as_str().unwrap();
    assert_eq!(added, json!({ "action": "add_staff_key", "label": "Front desk", "key": key }));
    assert!(key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let other = handle(&app, add_key("import")).await.unwrap()["key"].as_str().unwrap().to_owned();
    assert_ne!(key, other);
    assert_eq!(
        valid_keys(&pool).await,
        [("Front desk".to_owned(), sha256(key).to_vec()), ("import".to_owned(), sha256(&other).to_vec())]
    );
    let listed = handle(&app, json!({ "action": "list_staff_keys" })).await.unwrap();
    let row = |id: i64, label: &str| {
        json!({
            "id": id, "label": label, "created_at": "<moment>", "created_by": "system", "created_by_name": null,
            "last_used_at": null, "revoked_at": null
        })
    };
    let mut keys = listed["keys"].clone();
    for key in keys.as_array_mut().unwrap() {
        assert!(key["created_at"].as_str().unwrap().ends_with("+00:00"));
        key["created_at"] = json!("<moment>");
    }
    assert_eq!((&listed["action"], keys), (&json!("list_staff_keys"), json!([row(1, "Front desk"), row(2, "import")])));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_made_elsewhere_is_added_by_its_hash(pool: PgPool) {
    let app = app(&pool);
    let hash = sha256("abc").iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
    let event = |label: &str, hash: &str| json!({ "action": "add_staff_key", "label": label, "key_sha256": hash });
    let added = handle(&app, event("desk", &hash)).await;
    assert_eq!(added, Ok(json!({ "action": "add_staff_key", "label": "desk" })));
    assert_eq!(valid_keys(&pool).await, [("desk".to_owned(), sha256("abc").to_vec())]);
    assert_eq!(handle(&app, event("other", &hash)).await, Err("this key has been added before".to_owned()));
    for wrong in ["", "abc", &hash[1..], &hash.replace('A', "x")] {
        assert_eq!(
            handle(&app, event("other", wrong)).await,
            Err("key_sha256: write the SHA-256 of the key as 64 hexadecimal digits".to_owned())
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_staff_key_is_revoked_for_good_and_its_label_is_free_again(pool: PgPool) {
    let app = app(&pool);
    let revoke = |label: &str| json!({ "action": "revoke_staff_key", "label": label });
    assert_eq!(handle(&app, revoke("desk")).await, Err("no key has this label".to_owned()));
    handle(&app, add_key("desk")).await.unwrap();
    let in_use = "a key with this label is in use: choose another label, or revoke that key first";
    assert_eq!(handle(&app, add_key("desk")).await, Err(in_use.to_owned()));
    let first = handle(&app, revoke("desk")).await.unwrap();
    let moment = &first["revoked_at"];
    assert_eq!(first, json!({ "action": "revoke_staff_key", "label": "desk", "revoked_at": moment }));
    assert_eq!(handle(&app, revoke("desk")).await, Ok(first.clone()), "twice is as once");
    assert_eq!(valid_keys(&pool).await, []);
    handle(&app, add_key("desk")).await.unwrap();
    assert_eq!(valid_keys(&pool).await.len(), 1);
    let listed = handle(&app, json!({ "action": "list_staff_keys" })).await.unwrap();
    assert_eq!((&listed["keys"][0]["revoked_at"], &listed["keys"][1]["revoked_at"]), (moment, &Value::Null));
    let second = handle(&app, revoke("desk")).await.unwrap();
    assert_ne!(&second["revoked_at"], moment);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn labels_of_staff_keys_are_short_plain_and_unique(pool: PgPool) {
    let app = app(&pool);
    let long = "x".repeat(51);
    for label in ["", " ", "a:b", "a,b", "é", "desk ", "user-1", &long] {
        let refused = handle(&app, add_key(label)).await.unwrap_err();
        assert!(refused.starts_with("label: write 1 to 50 letters"), "{label}: {refused}");
    }
    let of_50 = "x".repeat(50);
    for label in ["a", "Front desk 2", "import_v1.2-b", &of_50] {
        assert!(handle(&app, add_key(label)).await.is_ok(), "{label}");
    }
    let together = futures::future::join_all((0..4).map(|_| handle(&app, add_key("one")))).await;
    assert_eq!(together.iter().filter(|added| added.is_ok()).count(), 1);
}
