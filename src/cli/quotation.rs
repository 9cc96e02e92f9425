//! `ocache quotation`: a past one.

use super::args::QuotationArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::settings::Settings;
use super::view;
use crate::model::{QuotationKey, RequestId, UserId};
use crate::ports::{Ports, Quotation};
use crate::protocol::{Frame, QuotationFrame};

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: QuotationArgs,
) -> Result<(), Failure> {
    let key = key(&args.request_id, args.client.as_ref())?;
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let found = find(&ports, &key, &args.request_id, args.client.as_ref()).await;
    engine.close().await;
    let found = found?;
    let now = ports.clock.now();
    let frame = QuotationFrame::new(&found, now);
    output.data(&Frame::Quotation(frame.clone()), |_| view::quotation(&frame, now))
}

/// Where the quotation of an id is stored.
pub(super) fn key(
    request_id: &RequestId,
    client: Option<&UserId>,
) -> Result<QuotationKey, Failure> {
    match client {
        Some(user) => Ok(QuotationKey::new(user, request_id)),
        None => QuotationKey::of_made(request_id).ok_or_else(|| {
            let message = format!(
                "request id `{request_id}` was chosen by a client; each client has its own"
            );
            Failure::new(ExitCode::Usage, message).hint("say whose it is with --client")
        }),
    }
}

/// The quotation, if it is the client's.
pub(super) async fn find(
    ports: &Ports,
    key: &QuotationKey,
    request_id: &RequestId,
    client: Option<&UserId>,
) -> Result<Quotation, Failure> {
    let (found, now) = (ports.store.quotation(key).await?, ports.clock.now());
    let is_theirs = |found: &Quotation| client.is_none_or(|user| found.user == *user);
    found.filter(|found| is_theirs(found) && found.is_kept(now)).ok_or_else(|| {
        Failure::new(ExitCode::NotFound, format!("there is no quotation `{request_id}`")).hint(
            "they are kept for as long as --keep-quotations says; see also --stack and --data-dir",
        )
    })
}
