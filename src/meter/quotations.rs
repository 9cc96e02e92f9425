//! Counts the calls for quotations. Each new quotation also counts as a frame from a client, and a frame that
//! acknowledges it.

use super::layer::Metered;
use super::operation::{Action, Operation, Resource};
use super::rules::{gateway_messages, item_read, queue_requests};
use super::scope::Scope;
use super::sizes;
use super::used::Used;
use crate::ports::prelude::*;
use crate::ports::{Ports, QuotationStatus};

/// The estimated length of an acknowledgement.
const ACCEPTED_BYTES: u64 = 100;
/// The estimated length of a deadline message without its two ids.
const DEADLINE_BYTES: u64 = 38;

impl Metered {
    /// Counts the creation of a quotation. Returns the size of the stored quotation.
    fn created(&self, quotation: &Quotation, created: &Created) -> u64 {
        match created {
            Created::New { packed } => {
                let bytes = sizes::new_quotation(quotation, *packed);
                self.wrote_one(Resource::Quotations, bytes);
                let came = Used::derived(1, 1, bytes, gateway_messages(bytes));
                self.count(Operation::FRAME_IN, came);
                let went = Used::derived(1, 1, ACCEPTED_BYTES, gateway_messages(ACCEPTED_BYTES));
                self.count(Operation::FRAME_OUT, went);
                if self.watched && quotation.status == QuotationStatus::Pending {
                    self.deadline_on_aws(quotation, bytes);
                }
                bytes
            }
            Created::Existing(stored) => {
                let bytes = sizes::quotation(stored);
                self.refused_one(Resource::Quotations, bytes);
                bytes
            }
        }
    }

    /// Counts the push that a deployed gateway needs for an answer that is sent with its acknowledgement
    /// here.
    fn answer_on_aws(&self, bytes: u64) {
        self.count(Operation::FRAME_OUT, Used::derived(1, 1, bytes, gateway_messages(bytes)));
    }

    /// Counts the deadline message that a deployed gateway needs: it is sent, received and deleted, and its
    /// quotation is read.
    fn deadline_on_aws(&self, quotation: &Quotation, stored: u64) {
        let ids = quotation.user.as_str().len() + quotation.key.as_str().len();
        let bytes = DEADLINE_BYTES + ids as u64;
        let message = Used::derived(1, 1, bytes, queue_requests(bytes));
        let look = Used::derived(1, 1, stored, item_read(stored, true));
        let deleted = Used::derived(1, 1, 0, queue_requests(0));
        self.count(Operation::queue(Queue::Provider, Action::Send), message);
        let comes = Scope::receiving(Queue::Provider);
        for (operation, used) in [
            (Operation::queue(Queue::Provider, Action::Receive), message),
            (Operation::read(Resource::Quotations), look),
            (Operation::queue(Queue::Provider, Action::Delete), deleted),
        ] {
            self.meter.count_for(comes, operation, used);
        }
    }
}

layer!(
    #[over(inner.store)]
    impl Quotations for Metered {
        async fn create_quotation(&self, quotation: _, _topic: _, body: _) -> _ {
            let Ports { store, topic, .. } = &self.inner;
            let created = store.create_quotation(quotation, &**topic, body).await?;
            self.created(quotation, &created);
            if created.is_new() {
                self.published(std::iter::once(body.len() as u64));
            }
            Ok(created)
        }

        async fn store_answered(&self, quotation: _) -> _ {
            let created = self.inner.store.store_answered(quotation).await?;
            let bytes = self.created(quotation, &created);
            if self.watched && created.is_new() {
                self.answer_on_aws(bytes);
            }
            Ok(created)
        }

        async fn quotation(&self, key: _) -> _ {
            let found = self.inner.store.quotation(key).await?;
            self.read_one(Resource::Quotations, found.as_ref().map(sizes::quotation), true);
            Ok(found)
        }

        async fn redirect_quotation(&self, key: _, connection: _, dialect: _) -> _ {
            let done = self.inner.store.redirect_quotation(key, connection, dialect).await?;
            self.wrote_if(done, Resource::Quotations, 0);
            Ok(done)
        }

        async fn settle_quotation(&self, key: _, verdict: _, now: _) -> _ {
            let settlement = self.inner.store.settle_quotation(key, verdict, now).await?;
            match &settlement {
                Settlement::Settled(stored) => {
                    self.wrote_one(Resource::Quotations, sizes::settled_quotation(stored));
                }
                Settlement::Refused(stored) => {
                    self.refused_one(Resource::Quotations, sizes::quotation(stored));
                }
                Settlement::Missing => self.refused_one(Resource::Quotations, 0),
            }
            Ok(settlement)
        }

        async fn list_quotations(&self, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_quotations(from).await?;
            let sizes = page.items.iter().map(sizes::quotation);
            self.scanned(Resource::Quotations, is_first, sizes, false);
            Ok(page)
        }

        async fn delete_quotation(&self, key: _) -> _ {
            self.inner.store.delete_quotation(key).await?;
            self.wrote_one(Resource::Quotations, 0);
            Ok(())
        }
    }
);
