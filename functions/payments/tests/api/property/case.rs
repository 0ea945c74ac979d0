//! A booking to which steps happen, concurrently or one after another, until nothing changes any more.

use std::{cell::RefCell, time::Duration};

use futures::future::join_all;
use jobs::Event;
use proptest::{prop_assert_eq, sample::Index, test_runner::TestCaseError};
use razorpay_stand_in::{Attempt, Checkout, Fault, Outcome};
use serde_json::json;
use shared::ids::{BookingId, CaptureId};
use shared::payments::{
    cash,
    mismatches::{self, Kind},
    refunds,
    states::ByHand,
};
use shared::{
    bookings::{
        Actor, booking,
        status::{BookingStatus, PaymentStatus},
        transition,
    },
    database::Database,
    money::Money,
    razorpay::Razorpay,
};
use sqlx::PgConnection;

use super::{
    books::Books,
    steps::{Call, Misfit, Step, Trouble},
};
use crate::{CREATE, World};

/// A booking, and its records after the last round.
pub(super) struct Case {
    pub(super) world: World,
    pub(super) booking: i64,
    jobs: jobs::App,
    checkouts: RefCell<Vec<Checkout>>,
    seen: RefCell<Books>,
}

impl Case {
    pub(super) async fn new(world: World) -> Self {
        // Keeps the jobs from rows of earlier cases.
        sqlx::raw_sql(
            "update payments set updated_at = now() - interval '1 year';
            update refunds set updated_at = now() + interval '1 year';
            update outbox set delivered_at = now() where delivered_at is null",
        )
        .execute(&world.pool)
        .await
        .unwrap();
        let booking = world.book().await;
        let razorpay =
            Razorpay::new(&world.razorpay.url(), razorpay_stand_in::KEY_ID, razorpay_stand_in::KEY_SECRET).unwrap();
        let jobs = jobs::App {
            database: Database::from(world.pool.clone()),
            razorpay: Some(razorpay),
            people: None,
            carriers: None,
            plan: shared::messages::Plan::default(),
        };
        let seen = RefCell::new(Books::of(&world, booking).await);
        Self { world, booking, jobs, checkouts: RefCell::default(), seen }
    }

    /// Runs the steps concurrently, then checks what holds after every round.
    pub(super) async fn run(&self, steps: &[Step]) -> Result<(), TestCaseError> {
        join_all(steps.iter().map(|step| self.take(step))).await;
        let now = Books::of(&self.world, self.booking).await;
        now.check_since(&self.seen.borrow(), &self.world)?;
        *self.seen.borrow_mut() = now;
        Ok(())
    }

    async fn take(&self, step: &Step) {
        match step {
            Step::Order => {
                self.world.client.post(CREATE, &json!({ "booking_id": self.booking })).await;
            }
            Step::Checkout(outcome) => self.pay(*outcome, Attempt::default()).await,
            Step::CheckoutAgain(outcome) => self.pay(*outcome, Attempt { second: true, ..Attempt::default() }).await,
            Step::Misfit(misfit) => self.pay_another_amount(*misfit).await,
            Step::AcceptMisfit => self.accept_misfit().await,
            Step::RefundByHand { part } => self.refund_by_hand(*part).await,
            Step::Dispute(index) => {
                let payments = self.world.razorpay.payments();
                if !payments.is_empty() {
                    // Refused if the payment was not captured.
                    let _ = self.world.razorpay.dispute(index.get(&payments)["id"].as_str().unwrap(), None);
                }
            }
            Step::EndDispute(index, outcome) => {
                let disputes = self.world.razorpay.disputes();
                if !disputes.is_empty() {
                    // Refused once it has ended.
                    let _ = self.world.razorpay.end_dispute(index.get(&disputes)["id"].as_str().unwrap(), *outcome);
                }
            }
            Step::BankSays(index, outcome) => {
                if let Some(checkout) = self.checkout(*index) {
                    // Refused once the payment is captured.
                    let _ = self.world.razorpay.move_payment(&checkout.payment_id, *outcome);
                }
            }
            Step::Verify(index) => {
                if let Some(checkout) = self.checkout(*index) {
                    self.world.verify(&checkout).await;
                }
            }
            Step::Webhook(index) => {
                let webhooks = self.world.razorpay.webhooks();
                if !webhooks.is_empty() {
                    self.world.deliver(index.get(&webhooks)).await;
                }
            }
            Step::AllWebhooks { reversed } => self.deliver_all_webhooks(*reversed).await,
            Step::Reconcile => drop(self.jobs.handle(Event::ReconcilePayments).await),
            Step::DeliverOutbox => drop(self.jobs.handle(Event::DeliverOutbox).await),
            Step::Cancel(actor) => self.set_status(Some(BookingStatus::Cancelled), actor).await,
            Step::NextStatus => self.set_status(None, &Actor::Staff("desk".to_owned())).await,
            Step::TakeCash => self.take_cash().await,
            Step::Refund { part } => self.refund(*part).await,
            Step::RefundInDashboard { part } => self.refund_in_dashboard(*part).await,
            Step::RefundsTakeTime => {
                self.world.razorpay.change(|settings| settings.refund_delay = Duration::from_mins(10));
            }
            Step::TimePasses => self.pass_time().await,
            Step::Trouble(call, index, trouble) => self.spoil(*call, *index, *trouble),
        }
    }

    async fn order_id(&self) -> Option<String> {
        sqlx::query_scalar(
            "select order_id from payments where booking_id = $1 and order_id is not null order by id desc limit 1",
        )
        .bind(self.booking)
        .fetch_optional(&self.world.pool)
        .await
        .unwrap()
    }

    fn checkout(&self, index: Index) -> Option<Checkout> {
        let checkouts = self.checkouts.borrow();
        if checkouts.is_empty() { None } else { Some(index.get(&checkouts).clone()) }
    }

    async fn pay_another_amount(&self, misfit: Misfit) {
        let attempt = match misfit {
            Misfit::Less => Attempt { amount: Some(74_000), ..Attempt::default() },
            Misfit::More => Attempt { amount: Some(76_000), ..Attempt::default() },
            Misfit::ByFee => Attempt { customer_bears_fee: true, ..Attempt::default() },
        };
        self.pay(Outcome::Captured, attempt).await;
    }

    async fn accept_misfit(&self) {
        let accept = async |connection: &mut PgConnection| {
            let listed: Option<i64> =
                sqlx::query_scalar("select capture_id from money_misfits where booking_id = $1 limit 1")
                    .bind(self.booking)
                    .fetch_optional(&mut *connection)
                    .await?;
            let Some(capture) = listed else { return Ok(()) };
            mismatches::accept(connection, Kind::Misfit, capture, "agreed", &Actor::Staff("desk".to_owned())).await
        };
        // Refused if it was settled meanwhile.
        let _ = self.jobs.database.transaction(accept).await;
    }

    async fn refund_by_hand(&self, part: bool) {
        let give_back = async |connection: &mut PgConnection| {
            let booking = booking::lock(connection, BookingId(self.booking)).await?;
            let amount = part.then(|| Money::from_paise(74_960));
            let actor = Actor::Staff("desk".to_owned());
            refunds::request_by_hand(connection, &booking, amount, ByHand::Transfer, "by hand", &actor).await
        };
        // Refused if less is left.
        let _ = self.jobs.database.transaction(give_back).await;
    }

    async fn pay(&self, outcome: Outcome, attempt: Attempt) {
        let Some(order_id) = self.order_id().await else { return };
        let attempt = Attempt { order_id, outcome: Some(outcome), ..attempt };
        if let Ok(mut checkout) = self.world.razorpay.pay(&attempt) {
            // The bank may authorize later, and then the browser gets this signature.
            let message = format!("{}|{}", checkout.order_id, checkout.payment_id);
            checkout.signature = razorpay_stand_in::sign(razorpay_stand_in::KEY_SECRET, message.as_bytes());
            self.checkouts.borrow_mut().push(checkout);
        }
    }

    async fn deliver_all_webhooks(&self, reversed: bool) {
        let mut webhooks = self.world.razorpay.webhooks();
        if reversed {
            webhooks.reverse();
        }
        for webhook in webhooks {
            self.world.deliver(&webhook).await;
        }
    }

    async fn set_status(&self, to: Option<BookingStatus>, actor: &Actor) {
        let mut transaction = self.jobs.database.begin().await.unwrap();
        let Ok(booking) = booking::lock(&mut transaction, BookingId(self.booking)).await else { return };
        let next = to.or(booking.booking_status.successors().first().copied());
        if let Some(to) = next
            && transition::set_status(&mut transaction, booking, to, actor, "").await.is_ok()
        {
            transaction.commit().await.unwrap();
        }
    }

    async fn take_cash(&self) {
        let mut transaction = self.jobs.database.begin().await.unwrap();
        let Ok(mut booking) = booking::lock(&mut transaction, BookingId(self.booking)).await else { return };
        if booking.payment_status != PaymentStatus::Completed && booking.booking_status != BookingStatus::Cancelled {
            cash::take(&mut transaction, &mut booking, &Actor::System).await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    /// As staff do: refunds part or all of the rest of the capture that pays the booking.
    async fn refund(&self, part: bool) {
        let mut transaction = self.jobs.database.begin().await.unwrap();
        let Ok(booking) = booking::lock(&mut transaction, BookingId(self.booking)).await else { return };
        let paid: Option<i64> = sqlx::query_scalar("select id from captures where booking_id = $1 and pays_booking")
            .bind(self.booking)
            .fetch_optional(&mut *transaction)
            .await
            .unwrap();
        let Some(capture) = paid else { return };
        let left = refunds::left(&mut transaction, CaptureId(capture)).await.unwrap();
        let amount = if part { left.min(20_000) } else { left };
        if amount > 0 {
            refunds::queue(&mut transaction, &booking, CaptureId(capture), amount, "", &Actor::System).await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    async fn refund_in_dashboard(&self, part: bool) {
        let taken = self.world.razorpay.payments().into_iter().find(|payment| payment["captured"] == true);
        let Some(payment) = taken else { return };
        let left = payment["amount"].as_i64().unwrap() - payment["amount_refunded"].as_i64().unwrap();
        let amount = if part { left.min(10_000) } else { left };
        // The key is not one of ours. May fail: nothing is left, or a fault of this path is pending.
        let key = format!("dashboard-{}", self.world.razorpay.refunds().len());
        let razorpay = self.jobs.razorpay.as_ref().unwrap();
        let _ = razorpay.refund(payment["id"].as_str().unwrap(), amount, &key).await;
    }

    /// Lets an hour pass: Razorpay processes refunds, and every waiting message and check is due.
    async fn pass_time(&self) {
        self.world.razorpay.advance(Duration::from_hours(1));
        sqlx::query("update outbox set due_at = now() where delivered_at is null")
            .execute(&self.world.pool)
            .await
            .unwrap();
        for age in [
            "update payments set created_at = created_at - interval '1 hour', updated_at = updated_at - interval '1 hour',
                checked_at = checked_at - interval '1 hour'
            where booking_id = $1 and method = 'razorpay'",
            "update refunds set updated_at = updated_at - interval '1 hour' where booking_id = $1",
        ] {
            sqlx::query(age).bind(self.booking).execute(&self.world.pool).await.unwrap();
        }
    }

    fn spoil(&self, call: Call, index: Index, trouble: Trouble) {
        let payment = self.checkout(index).map(|checkout| checkout.payment_id);
        let order = self.checkout(index).map(|checkout| checkout.order_id);
        let path = match (call, payment, order) {
            (Call::Orders, ..) => "/v1/orders".to_owned(),
            (Call::PaymentsOfOrder, _, Some(order)) => format!("/v1/orders/{order}/payments"),
            (Call::Payment, Some(payment), _) => format!("/v1/payments/{payment}"),
            (Call::Capture, Some(payment), _) => format!("/v1/payments/{payment}/capture"),
            (Call::Refund, Some(payment), _) => format!("/v1/payments/{payment}/refund"),
            (Call::Refunds, Some(payment), _) => format!("/v1/payments/{payment}/refunds"),
            _ => return,
        };
        let fault = match trouble {
            Trouble::Closed => Fault::closed(),
            Trouble::AnswerLost => Fault::lost(),
            Trouble::ServerError => Fault::server_error(),
        };
        self.world.razorpay.spoil(&path, fault);
    }

    /// Clears the faults, then lets time pass, delivers webhooks and runs the jobs until nothing changes any more.
    pub(super) async fn come_to_rest(&self) -> Result<(), TestCaseError> {
        self.world.razorpay.clear_faults();
        for _ in 0..10 {
            let before = Books::of(&self.world, self.booking).await;
            let told = self.world.razorpay.webhooks().len();
            for step in [
                Step::TimePasses,
                Step::AllWebhooks { reversed: false },
                Step::Reconcile,
                Step::DeliverOutbox,
                Step::AllWebhooks { reversed: true },
            ] {
                self.run(&[step]).await?;
            }
            if told == self.world.razorpay.webhooks().len() && before == Books::of(&self.world, self.booking).await {
                return Ok(());
            }
        }
        Err(TestCaseError::fail("it does not come to rest"))
    }

    pub(super) async fn compare(&self) -> Result<(), TestCaseError> {
        Books::of(&self.world, self.booking).await.compare(&self.world)?;
        // Only this booking: while proptest shrinks a failure, bookings of failed cases are still in the database.
        let told: (i64, i64) = sqlx::query_as(
            "select count(*) filter (where payment_status <> 'pending'
                    and not exists (select from captures where booking_id = bookings.id and pays_booking)),
                count(*) filter (where payment_status = 'pending'
                    and exists (select from captures where booking_id = bookings.id and state = 'captured' and fits))
            from bookings where id = $1",
        )
        .bind(self.booking)
        .fetch_one(&self.world.pool)
        .await
        .unwrap();
        prop_assert_eq!(told, (0, 0));
        let waiting: i64 =
            sqlx::query_scalar("select count(*) from outbox where delivered_at is null and failed_at is null")
                .fetch_one(&self.world.pool)
                .await
                .unwrap();
        prop_assert_eq!(waiting, 0, "messages still wait");
        Ok(())
    }
}
