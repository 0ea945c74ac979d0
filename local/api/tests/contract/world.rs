//! All functions on one database with the stand-ins, and a caller that follows the document.

use std::{cell::RefCell, collections::BTreeSet};

use descope_stand_in::StandIn as Descope;
use razorpay_stand_in::StandIn as Razorpay;
use serde_json::{Value, json};
use shared::{cache::Cache, database::Database, http::fields_read, razorpay::WebhookSecrets, throttle::Limit};
use sqlx::PgPool;
use testing::{Answer, Client, STAFF_KEY};

use crate::document::{operation, operations};

pub(crate) struct World {
    document: Value,
    clients: Vec<(&'static str, Client)>,
    pub(crate) descope: Descope,
    pub(crate) razorpay: Razorpay,
    called: RefCell<BTreeSet<String>>,
    /// Parameters of queries that some call read, and that some call did not.
    read: RefCell<BTreeSet<String>>,
    unread: RefCell<BTreeSet<String>>,
}

/// Additions to the documented example of a request.
#[derive(Default)]
pub(crate) struct With<'a> {
    pub(crate) id: i64,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// These replace the example's values: its dates pass, and the database assigns ids.
    pub(crate) values: Value,
}

impl World {
    pub(crate) async fn new(pool: PgPool) -> Self {
        let (descope, razorpay, redis) = (Descope::start().await, Razorpay::start().await, testing::redis());
        testing::import_catalogue(&pool, &redis).await;
        let database = Database::from(pool);
        let throttle = testing::no_throttle(&redis);
        let sessions = testing::sessions(&database, &descope, &redis);
        let staff_keys = testing::staff_keys(&database, &throttle);
        let limit = Limit::public_reads().unwrap();
        let cache = Cache::new(redis.clone(), database.clone(), throttle.clone(), limit);
        let client = |router| Client::new(router, database.clone());
        let slow = |router| Client::within(router, database.clone(), auth::DEADLINE);
        let gateway = payments::Gateway::enabled(
            shared::razorpay::Razorpay::new(&razorpay.url(), razorpay.key_id(), razorpay.key_secret()).unwrap(),
            WebhookSecrets::new([razorpay_stand_in::WEBHOOK_SECRET.to_owned()]),
        );
        let messages = auth::Messages {
            password_reset_url: Some("http://localhost:3000/reset-password".to_owned()),
            code_lifetime: std::time::Duration::from_mins(3),
            countries: "91,1".parse().unwrap(),
        };
        let clients = vec![
            ("/api/vehicle", client(vehicles::router(vehicles::App { cache: cache.clone() }))),
            ("/api/service", client(services::router(services::App { cache: cache.clone() }))),
            ("/api/shop", client(shop::router(shop::App { cache }))),
            (
                "/api/auth",
                slow(auth::router(auth::App {
                    admits: auth::Admits::Everyone,
                    sessions: sessions.clone(),
                    seals: auth::Seals::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap(),
                    throttle: throttle.clone(),
                    limits: auth::Limits::from_env().unwrap(),
                    messages,
                })),
            ),
            (
                "/api/payments",
                slow(payments::router(payments::App {
                    database: database.clone(),
                    gateway,
                    throttle: throttle.clone(),
                    limits: payments::Limits::from_env().unwrap(),
                })),
            ),
            (
                "/api/staff",
                client(staff::router(staff::App {
                    database: database.clone(),
                    sessions: sessions.clone(),
                    staff_keys: staff_keys.clone(),
                })),
            ),
            (
                "/api/",
                client(bookings::router(bookings::App {
                    database: database.clone(),
                    sessions,
                    staff_keys,
                    throttle: throttle.clone(),
                    limits: bookings::Limits::from_env().unwrap(),
                    online: shared::bookings::plan::OnlinePayment::Enabled,
                    cutoff: shared::bookings::own::Cutoff::from_env().unwrap(),
                    unproved: shared::bookings::unproved::Limits::OFF,
                })),
            ),
            (
                "/",
                client(status::router(status::App {
                    database: database.clone(),
                    throttle,
                    redis,
                    checks_per_address: limit,
                    example: None,
                })),
            ),
        ];
        Self {
            document: api::document().unwrap(),
            clients,
            descope,
            razorpay,
            called: RefCell::default(),
            read: RefCell::default(),
            unread: RefCell::default(),
        }
    }

    /// Sends the documented example of an operation. If fields are required, first sends an empty body: the fields
    /// reported missing must be the documented ones. The answer must match its schema, and the handler must have read
    /// exactly the documented fields and parameters.
    pub(crate) async fn call(&self, id: &str, with: With<'_>) -> Answer {
        let operation = operation(&self.document, id);
        let path = operation.path.replace("{id}", &with.id.to_string()) + with.query;
        let prefix = if path.starts_with("/api/docs") || path.starts_with("/api/schema") { "/" } else { &path };
        let (_, client) = self.clients.iter().find(|(start, _)| prefix.starts_with(start)).unwrap();
        let client = with.headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, value));
        let required = operation.fields(true);
        if !required.is_empty() {
            let refused = self.send(&client, &operation.method, &path, Some(json!({}))).await;
            assert_eq!(operation.check(&refused), Ok(()), "{id}");
            let missing: BTreeSet<String> = refused.body["details"].as_object().unwrap().keys().cloned().collect();
            assert_eq!((refused.status, missing), (400, required), "{id}: what is required");
        }
        let mut body = operation.body().map(|_| operation.example());
        if let (Some(body), Value::Object(values)) = (&mut body, &with.values) {
            for (name, value) in values {
                body[name] = value.clone();
            }
        }
        assert!(body.as_ref().is_none_or(Value::is_object), "{id} has no example");
        fields_read();
        let answer = self.send(&client, &operation.method, &path, body).await;
        assert!(answer.status < 300, "{id}: {}", answer.text);
        assert_eq!(operation.check(&answer), Ok(()), "{id}");
        // The caller's token in a query is read only where no other proof comes first.
        let without_token = |names: BTreeSet<String>| names.into_iter().filter(|name| name != "token").collect();
        let read: BTreeSet<String> = without_token(fields_read().into_iter().collect());
        let documented: BTreeSet<String> = without_token(&operation.fields(false) | &operation.query());
        // Cached reads of one item take the paging of lists too, without effect.
        let unsaid: Vec<_> = read.difference(&documented).filter(|name| !name.starts_with("page")).collect();
        assert_eq!(unsaid, Vec::<&String>::new(), "{id}: what the handler reads and the document does not tell");
        let unread = documented.difference(&read).map(|name| format!("{id}: {name}"));
        if operation.method == "GET" {
            self.unread.borrow_mut().extend(unread);
            self.read.borrow_mut().extend(read.iter().map(|name| format!("{id}: {name}")));
        } else {
            assert_eq!(unread.collect::<Vec<_>>(), Vec::<String>::new(), "what is documented and not read");
        }
        self.called.borrow_mut().insert(id.to_owned());
        answer
    }

    /// Sends a request to the function that answers at its path.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let (_, client) = self.clients.iter().find(|(start, _)| path.starts_with(start)).unwrap();
        let client = headers.iter().fold(client.clone(), |client, (name, value)| client.with(name, value));
        self.send(&client, method, path, body).await
    }

    async fn send(&self, client: &Client, method: &str, path: &str, body: Option<Value>) -> Answer {
        match (method, body) {
            ("POST", Some(body)) => client.post(path, &body).await,
            ("PATCH", Some(body)) => client.patch(path, &body).await,
            (method, None) => client.send(method, path, None).await,
            (method, Some(_)) => panic!("{method} with a body"),
        }
    }

    /// Sends the documented example of a webhook as Razorpay does, signed over its bytes.
    pub(crate) async fn deliver(&self, id: &str) {
        let operation = operation(&self.document, id);
        let body = operation.raw_example();
        let signature = razorpay_stand_in::sign(razorpay_stand_in::WEBHOOK_SECRET, body.as_bytes());
        let (_, client) = self.clients.iter().find(|(start, _)| operation.path.starts_with(start)).unwrap();
        let client = client.with("X-Razorpay-Signature", &signature);
        let answer = client.send(&operation.method, &operation.path, Some(&body)).await;
        assert_eq!((answer.status, operation.check(&answer)), (200, Ok(())), "{id}: {}", answer.text);
        self.called.borrow_mut().insert(id.to_owned());
    }

    /// The operations of the document that were not called, and the parameters of queries that no call read.
    pub(crate) fn forgotten(&self) -> Vec<String> {
        let mut forgotten: Vec<_> = operations(&self.document).difference(&self.called.borrow()).cloned().collect();
        forgotten.extend(self.unread.borrow().difference(&self.read.borrow()).cloned());
        forgotten
    }

    /// The newest code that was sent to a number or address.
    pub(crate) fn code(&self, to: &str) -> String {
        self.descope.inbox(to).into_iter().find_map(|message| message.code).unwrap()
    }

    /// The `t` of the newest link that was mailed.
    pub(crate) fn link(&self, to: &str) -> String {
        self.descope.inbox(to).into_iter().find_map(|message| message.token).unwrap()
    }
}

/// A staff key in its header.
pub(crate) const STAFF: [(&str, &str); 1] = [("X-API-Key", STAFF_KEY)];
