//! Counts the calls for price tables.

use super::layer::Metered;
use super::operation::Resource;
use super::sizes;
use crate::ports::prelude::*;

impl Metered {
    fn read_heads(&self, users: &[UserId], found: &[(UserId, TableHead)]) {
        let sizes = found.iter().map(|(user, head)| sizes::table_head(user, head));
        self.read_many(Resource::PricesByUser, users.len(), sizes);
    }

    fn wrote_parts(&self, user: &UserId, generation: &Generation, parts: &[Bytes]) {
        let parts = parts.iter().enumerate();
        let sizes = parts.map(|(number, part)| sizes::part(user, generation, number, part.len()));
        self.wrote_many(Resource::PricesByUser, sizes);
    }
}

layer!(
    #[over(inner.store)]
    impl PriceTables for Metered {
        async fn table_heads(&self, users: _) -> _ {
            let found = self.inner.store.table_heads(users).await?;
            self.read_heads(users, &found);
            Ok(found)
        }

        async fn heads_with_catalogue(&self, users: _) -> _ {
            let found = self.inner.store.heads_with_catalogue(users).await?;
            if let Some((heads, catalogue)) = &found {
                self.read_heads(users, heads);
                self.read_catalogue_head(Some(catalogue));
            }
            Ok(found)
        }

        async fn put_table(&self, table: _) -> _ {
            let flip = self.inner.store.put_table(table).await?;
            if !table.parts.is_empty() {
                self.wrote_parts(table.user, &table.head.generation, table.parts);
            }
            // A refused write is billed by the stored head, which has about the same size as this one.
            let bytes = sizes::table_head(table.user, table.head);
            self.wrote_if(flip.is_done(), Resource::PricesByUser, bytes);
            if flip == Flip::Published {
                self.published(table.awaited.iter().map(|body| body.len() as u64));
            }
            Ok(flip)
        }

        async fn parts(&self, wanted: _) -> _ {
            let found = self.inner.store.parts(wanted).await?;
            let asked = wanted.iter().map(|one| one.numbers.len()).sum();
            let sizes = wanted.iter().zip(&found).flat_map(|(one, parts)| {
                let WantedParts { user, generation, numbers } = one;
                numbers.iter().zip(parts).filter_map(move |(&number, part)| {
                    Some(sizes::part(user, generation, number as usize, part.as_ref()?.len()))
                })
            });
            self.read_many(Resource::PricesByUser, asked, sizes);
            Ok(found)
        }

        async fn delete_table(&self, user: _) -> _ {
            self.inner.store.delete_table(user).await?;
            self.read_one(Resource::PricesByUser, None, true);
            self.wrote_many(Resource::PricesByUser, std::iter::once(0));
            Ok(())
        }

        async fn list_table_heads(&self, from: _) -> _ {
            let is_first = from.is_none();
            let page = self.inner.store.list_table_heads(from).await?;
            // The parts are read and billed too, but their sizes are not known here.
            let sizes = page.items.iter().map(|(user, head)| sizes::table_head(user, head));
            self.scanned(Resource::PricesByUser, is_first, sizes, false);
            Ok(page)
        }
    }
);
