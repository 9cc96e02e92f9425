//! `/prices/{client}`.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY};

use super::call::{PricesAsked, PricesOf};
use super::etag::{self, KnownTags, TableState};
use super::held::held;
use super::kept::{KeptReply, SomeAsked};
use super::reply::{self, JSON, failure, not_ready, with};
use super::{Behind, HttpApi};
use crate::model::UserId;
use crate::ports::TableHead;
use crate::protocol::{ShownPrices, render_prices};
use crate::runtime::gateway::http_reply::{Reply, problem_with_code};
use crate::stages::StageError;
use crate::stages::prices::{Prices, Question, SomePrices};

/// Only the client may keep the reply. It checks the tag every time, which costs little.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const STALE: HeaderName = HeaderName::from_static("ocache-stale");
const PRICED_AT: HeaderName = HeaderName::from_static("ocache-priced-at");

impl HttpApi {
    /// Replies 200 with the prices, 304 if the client has them, or 202 while there is no usable table.
    pub(super) async fn prices(&self, behind: Behind<'_>, asked: PricesAsked) -> Reply {
        let PricesAsked { of, known, wait } = asked;
        let (prices, wait) = (behind.prices, self.wait(wait));
        let (user, shown) = match &of {
            PricesOf::Kept(reply) => {
                let user = &reply.asked.question.user;
                let look = || self.kept_prices(prices, reply, &known);
                (user, held(wait, &self.shutdown, look, Option::is_some).await)
            }
            PricesOf::Some(asked) => {
                let look = || self.some_prices(prices, asked, &known);
                (&asked.question.user, held(wait, &self.shutdown, look, Option::is_some).await)
            }
            PricesOf::All(user, rows) => {
                let question = Question { user: user.clone(), items: vec![] };
                let look = || prices.table(&question);
                let reply = match held(wait, &self.shutdown, look, Option::is_some).await {
                    Ok(Some(table)) => {
                        Ok(Some(Box::pin(self.table(user, table, rows.clone(), &known)).await))
                    }
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                };
                (user, reply)
            }
        };
        match shown {
            Ok(Some(reply)) => reply::held(reply, wait),
            Ok(None) => reply::held(calculating(user), wait),
            Err(error) => failure("the prices were not found", &error),
        }
    }

    /// Replies with a kept reply if it shows the table in its present state, else with the prices.
    async fn kept_prices(
        &self,
        prices: &Prices,
        kept: &KeptReply,
        known: &KnownTags,
    ) -> Result<Option<Reply>, StageError> {
        let user = kept.asked.question.user.clone();
        let state = |found: &SomePrices<'_>| TableState::of(found.head, found.at, found.stale);
        match prices.of(&Question { user, items: vec![] }, state).await? {
            None => Ok(None),
            Some(state) if state == kept.state => {
                self.metrics.prices_shown(true);
                Ok(Some(match known.contain(&kept.tag) {
                    true => not_modified(&kept.tag),
                    false => tagged(Reply::new(kept.body.clone().into()), JSON, &kept.tag),
                }))
            }
            Some(_) => {
                // Otherwise a request that comes less often than the table changes would read it twice
                // each time.
                self.kept.iter().for_each(|replies| replies.forget(kept));
                Box::pin(self.some_prices(prices, &kept.asked, known)).await
            }
        }
    }

    async fn some_prices(
        &self,
        prices: &Prices,
        asked: &Arc<SomeAsked>,
        known: &KnownTags,
    ) -> Result<Option<Reply>, StageError> {
        let SomeAsked { question: Question { user, items }, quantity, .. } = &**asked;
        let shown = prices.of(&asked.question, |found| {
            let SomePrices { head, stale, prices, ladders, at } = found;
            let state = TableState::of(head, *at, *stale);
            let tag = etag::of_some(user, &state, items);
            self.metrics.prices_shown(false);
            let kept = self.kept.as_ref().filter(|kept| kept.comes_again(asked, &state));
            let is_known = known.contain(&tag);
            if is_known && kept.is_none() {
                return Ok(not_modified(&tag));
            }
            let shown = ShownPrices {
                user,
                currency: head.currency,
                unit_decimals: head.rounding.unit_decimals,
                quantity: *quantity,
                priced_at: head.priced_at,
                validated_at: head.validated_at,
                stale: *stale,
                items,
                prices,
                ladders,
            };
            let json = render_prices(&shown).map_err(StageError::Write)?;
            let body = match kept {
                Some(kept) => kept.keep(asked, state, &tag, json),
                None => json.into(),
            };
            Ok(match is_known {
                true => not_modified(&tag),
                false => tagged(Reply::new(body.into()), JSON, &tag),
            })
        });
        shown.await?.transpose()
    }
}

/// Returns the reply while a table is being calculated.
fn calculating(user: &UserId) -> Reply {
    let message = format!("the prices of customer `{user}` are being calculated");
    not_ready(problem_with_code(StatusCode::ACCEPTED, "calculating", &message))
}

pub(super) fn not_modified(tag: &str) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::NOT_MODIFIED;
    kept(reply, tag)
}

/// Adds a content type, and a tag under which the client may keep the reply.
pub(super) fn tagged(reply: Reply, content: HeaderValue, tag: &str) -> Reply {
    kept(with(reply, CONTENT_TYPE, content), tag)
}

fn kept(reply: Reply, tag: &str) -> Reply {
    let reply = with(reply, CACHE_CONTROL, PRIVATE);
    match HeaderValue::from_str(tag) {
        Ok(tag) => with(reply, ETAG, tag),
        Err(_) => reply,
    }
}

/// Adds when a table was calculated and whether it is stale, because its rows do not say so.
pub(super) fn dated(reply: Reply, head: &TableHead, stale: bool) -> Reply {
    let reply = with(reply, STALE, HeaderValue::from_static(if stale { "true" } else { "false" }));
    let reply = with(reply, VARY, HeaderValue::from_static("accept"));
    match HeaderValue::try_from(head.priced_at.to_string()) {
        Ok(time) => with(reply, PRICED_AT, time),
        Err(_) => reply,
    }
}
