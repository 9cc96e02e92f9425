//! `ocache quotation`: shows a past quotation.

use super::args::QuotationArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::settings::Settings;
use super::view;
use crate::model::{QuotationKey, RequestId, UserId};
use crate::ports::{Ports, Quotation};
use crate::protocol::{Frame, QuotationFrame};

pub(super) async fn run(settings: &Settings, output: &Output, args: QuotationArgs) -> Result<()> {
    let keys = keys(&args.request_id, args.client.as_ref())?;
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let found = find(&ports, &keys, &args.request_id, args.client.as_ref()).await;
    engine.close().await;
    let found = found?;
    let now = ports.clock.now();
    let frame = QuotationFrame::new(&found, now);
    output.data(&Frame::Quotation(frame.clone()), |_| view::quotation(&frame, now))
}

/// Returns the keys under which the quotation of an id may be stored, likeliest first.
pub(super) fn keys(request_id: &RequestId, client: Option<&UserId>) -> Result<Vec<QuotationKey>> {
    match client {
        Some(user) => Ok(QuotationKey::candidates(user, request_id).collect()),
        None => QuotationKey::of_made(request_id).map(|key| vec![key]).ok_or_else(|| {
            let message = format!(
                "request id `{request_id}` was chosen by a client, so it is unique for one customer only"
            );
            Failure::new(ExitCode::Usage, message).hint("name the customer with --client")
        }),
    }
}

/// Returns the quotation, if it belongs to the given client.
pub(super) async fn find(
    ports: &Ports,
    keys: &[QuotationKey],
    request_id: &RequestId,
    client: Option<&UserId>,
) -> Result<Quotation> {
    let now = ports.clock.now();
    let is_theirs = |found: &Quotation| client.is_none_or(|user| found.user == *user);
    for key in keys {
        let found = ports.store.quotation(key).await?;
        if let Some(found) = found.filter(|found| is_theirs(found) && found.is_kept(now)) {
            return Ok(found);
        }
    }
    let chosen = match client {
        Some(_) => "",
        None => "; add --client if a client chose the id",
    };
    Err(Failure::new(ExitCode::NotFound, format!("there is no quotation `{request_id}`")).hint(
        format!(
            "quotations are kept for as long as --keep-quotations says{chosen}; see also --stack and --data-dir"
        ),
    ))
}
