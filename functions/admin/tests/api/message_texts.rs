//! The words of messages: the shop's own, and their preview.

use sqlx::PgPool;

use crate::{
    World,
    browser::input,
    visits::{between, words},
};

const PATH: &str = "/admin/shop/messages/?kind=booking_confirmed";

async fn stored(world: &World) -> Vec<(String, String)> {
    let sql = "select language, text from message_texts where kind = 'booking_confirmed' order by language";
    sqlx::query_as(sql).fetch_all(&world.pool).await.unwrap()
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn every_kind_is_previewed_on_every_way_in_both_languages(pool: PgPool) {
    let world = World::new(pool).await;
    let owner = world.owner().await;
    let shop: String = sqlx::query_scalar("select phone from shops").fetch_one(&world.pool).await.unwrap();
    for kind in shared::messages::Kind::ALL {
        let page = owner.get(&format!("/admin/shop/messages/?kind={}", kind.as_str())).await;
        assert_eq!(page.status, 200, "{kind:?}: {}", page.text);
        let ways = if kind.is_for_staff() { 1 } else { 3 };
        assert_eq!(page.text.matches("<figure class=\"message\"").count(), 2 * ways, "{kind:?}");
        for section in page.text.split("<section lang=").skip(1) {
            let mail = words(between(section, "<figcaption>E-mail", "</figure>"));
            assert!(mail.contains(&shop), "{kind:?}: {mail}");
        }
        assert!(kind.is_about_account() || page.text.contains("Asha Verma"), "{kind:?}");
    }
    assert_eq!(owner.get("/admin/shop/messages/?kind=booking_lost").await.status, 404);
}

#[sqlx::test(migrator = "shared::database::MIGRATOR")]
async fn own_words_stand_in_the_preview_and_are_saved_changed_and_removed(pool: PgPool) {
    let world = World::new(pool).await;
    let (owner, colleague) = (world.owner().await, world.mechanic().await);
    let version = input(&owner.get(PATH).await, "version");
    let own = "Park behind the shop.\n<script>alert(1)</script>";
    let fields = |act, text, version| [("act", act), ("english", text), ("hindi", ""), ("version", version)];

    let page = owner.submit(PATH, &fields("preview", own, &version)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let english = between(&page.text, "<section lang=\"en\"", "</section>");
    assert!(words(english).contains("Park behind the shop."), "{english}");
    assert!(!page.text.contains("<script>alert"));
    assert_eq!(stored(&world).await, [], "a preview saves nothing");

    assert_eq!(colleague.submit(PATH, &fields("save", own, &version)).await.status, 403);
    for _ in 0..2 {
        let saved = owner.submitted(PATH, &fields("save", own, &version)).await;
        assert!(saved.text.contains("Saved. The next mail has these words."), "{}", saved.text);
    }
    assert_eq!(stored(&world).await, [("en".to_owned(), own.to_owned())]);
    let history = words(&owner.get("/admin/activity/?kind=message_texts").await.text);
    assert!(history.contains("Words of a mail") && history.contains("Park behind the shop."), "{history}");

    // Another form was opened before that.
    let outdated = owner.submit(PATH, &fields("save", "Ring the bell.", &version)).await;
    assert_eq!(outdated.status, 409, "{}", outdated.text);
    assert!(words(&outdated.text).contains("Now saved: Park behind the shop."), "{}", outdated.text);
    assert_eq!(stored(&world).await, [("en".to_owned(), own.to_owned())]);

    let version = input(&owner.get(PATH).await, "version");
    owner.submitted(PATH, &fields("save", "", &version)).await;
    assert_eq!(stored(&world).await, []);
    let long = "x".repeat(2001);
    assert_eq!(owner.submit(PATH, &fields("save", &long, "0")).await.status, 400);
}
