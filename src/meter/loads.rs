//! Counts the calls for loads and bases.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;
use crate::ports::{Record, RecordKind};

impl Metered {
    /// Counts an update of the head, or a refused one. The head is always smaller than a KB.
    fn updated_head(&self, is_done: bool) {
        self.wrote_if(is_done, Resource::Products, 0);
    }

    /// Counts the folding of rows of one table: they are read, and then written one by one.
    fn folded(&self, table: Resource, rows: &[u64]) {
        self.read_many(table, rows.len(), std::iter::empty());
        for bytes in rows {
            self.wrote_one(table, *bytes);
        }
    }
}

impl Metered {
    fn wrote_base_parts(&self, name: &BaseName, first: u32, parts: &[Bytes]) {
        let parts = (first..).zip(parts);
        let sizes = parts.map(|(number, part)| sizes::base_part(name, number, part.len()));
        self.wrote_many(Resource::PricesByUser, sizes);
    }
}

/// The tables that loads write to.
const LOADED: [Resource; 4] =
    [Resource::Products, Resource::Discounts, Resource::Customers, Resource::PriceLists];

const fn table_of(kind: RecordKind) -> Resource {
    match kind {
        RecordKind::Product => Resource::Products,
        RecordKind::Discounts => Resource::Discounts,
        RecordKind::Customer => Resource::Customers,
        RecordKind::PriceList | RecordKind::Prices => Resource::PriceLists,
    }
}

fn row_size(change: &RowChange, version: u64) -> u64 {
    match change {
        RowChange::Put(Record::Product(product)) => sizes::product(product, version),
        RowChange::Put(Record::Discounts(list)) => sizes::discounts(list, version),
        RowChange::Put(Record::Customer(customer)) => sizes::customer(customer, version),
        RowChange::Put(Record::PriceList(list)) => sizes::price_list(list, version),
        RowChange::Put(Record::Prices(prices)) => sizes::list_prices(prices, version),
        RowChange::Delete(_) => 0,
    }
}

layer!(
    #[over(inner.store)]
    impl Loads for Metered {
        async fn begin_load(&self, load: _, now: _) -> _ {
            self.inner.store.begin_load(load, now).await?;
            self.updated_head(true);
            Ok(())
        }

        async fn write_journal(&self, load: _, changes: _) -> _ {
            let written = self.inner.store.write_journal(load, changes).await?;
            // Of the head, only the registration of the journal is read.
            let registration = written.then(|| sizes::registration(load));
            self.read_one(Resource::Products, registration, true);
            if written {
                self.wrote_many(Resource::Journal, sizes::journal(load, changes).into_iter());
            }
            Ok(written)
        }

        async fn commit_load(&self, commit: _, expected: _) -> _ {
            let committed = self.inner.store.commit_load(commit, expected).await?;
            self.updated_head(matches!(committed, Committed::Version(_)));
            Ok(committed)
        }

        async fn list_journal(&self, load: _, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_journal(load, from).await?;
            let sizes = sizes::journal(load, &page.items).into_iter();
            self.queried(Resource::Journal, is_first, sizes);
            Ok(page)
        }

        async fn fold(&self, load: _, version: _, changes: _, forget_at: _) -> _ {
            self.inner.store.fold(load, version, changes, forget_at).await?;
            for table in LOADED {
                let of_table =
                    changes.iter().filter(|change| table_of(change.key().kind()) == table);
                let rows: Vec<u64> = of_table.map(|change| row_size(change, version)).collect();
                if !rows.is_empty() {
                    self.folded(table, &rows);
                }
            }
            Ok(())
        }

        async fn finish_load(&self, load: _) -> _ {
            self.inner.store.finish_load(load).await?;
            self.updated_head(true);
            Ok(())
        }

        async fn drop_journal(&self, load: _) -> _ {
            self.inner.store.drop_journal(load).await?;
            // The head is updated before and after. The number of deleted items is not known here, so it
            // counts as one.
            self.updated_head(true);
            self.queried(Resource::Journal, true, std::iter::once(0));
            self.wrote_many(Resource::Journal, std::iter::once(0));
            self.updated_head(true);
            Ok(())
        }

        async fn journals(&self) -> _ {
            let journals = self.inner.store.journals().await?;
            self.read_one(Resource::Products, None, true);
            Ok(journals)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Bases for Metered {
        async fn put_base_parts(&self, name: _, first: _, parts: _, expires_at: _) -> _ {
            self.inner.store.put_base_parts(name, first, parts, expires_at).await?;
            self.wrote_base_parts(name, first, parts);
            Ok(())
        }

        async fn put_base(&self, name: _, base: _, parts: _) -> _ {
            self.inner.store.put_base(name, base, parts).await?;
            self.wrote_base_parts(name, base.first_of_last(parts.len()), parts);
            self.wrote_one(Resource::PricesByUser, sizes::base_index(name, base));
            Ok(())
        }

        async fn base(&self, name: _) -> _ {
            let index = self.inner.store.base(name).await?;
            let size = index.as_ref().map(|index| sizes::base_index(name, index));
            self.read_one(Resource::PricesByUser, size, true);
            Ok(index)
        }

        async fn base_parts(&self, name: _, numbers: _) -> _ {
            let parts = self.inner.store.base_parts(name, numbers).await?;
            let sizes = numbers.iter().zip(&parts).filter_map(|(&number, part)| {
                Some(sizes::base_part(name, number, part.as_ref()?.len()))
            });
            self.read_many(Resource::PricesByUser, numbers.len(), sizes);
            Ok(parts)
        }

        async fn claim_base(&self, name: _, claim: _, now: _) -> _ {
            let is_claimed = self.inner.store.claim_base(name, claim, now).await?;
            self.wrote_if(is_claimed, Resource::PricesByUser, sizes::base_claim(name, claim));
            Ok(is_claimed)
        }

        async fn put_drafts(&self, name: _, drafts: _, expires_at: _) -> _ {
            self.inner.store.put_drafts(name, drafts, expires_at).await?;
            let sizes =
                drafts.iter().map(|(number, draft)| sizes::base_draft(name, *number, draft.len()));
            self.wrote_many(Resource::PricesByUser, sizes);
            Ok(())
        }

        async fn drafts(&self, name: _, numbers: _) -> _ {
            let drafts = self.inner.store.drafts(name, numbers).await?;
            let sizes = numbers.iter().zip(&drafts).filter_map(|(&number, draft)| {
                Some(sizes::base_draft(name, number, draft.as_ref()?.len()))
            });
            self.read_many(Resource::PricesByUser, numbers.len(), sizes);
            Ok(drafts)
        }
    }
);
