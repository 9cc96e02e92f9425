//! `ocache quotation`: a past one.

use super::args::QuotationArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::settings::Settings;
use super::view;
use crate::model::QuotationKey;
use crate::protocol::{Frame, QuotationFrame};

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: QuotationArgs,
) -> Result<(), Failure> {
    let key = match &args.client {
        Some(user) => QuotationKey::new(user, &args.request_id),
        None => QuotationKey::of_made(&args.request_id).ok_or_else(|| {
            let id = &args.request_id;
            let message =
                format!("request id `{id}` was chosen by a client; each client has its own");
            Failure::new(ExitCode::Usage, message).hint("say whose it is with --client")
        })?,
    };
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let found = ports.store.quotation(&key).await?;
    let found = found.filter(|found| args.client.as_ref().is_none_or(|user| found.user == *user));
    engine.close().await;
    let Some(found) = found else {
        let message = format!("there is no quotation `{}`", args.request_id);
        return Err(Failure::new(ExitCode::NotFound, message)
            .hint("quotations are kept for seven days; see also --stack and --data-dir"));
    };
    let now = ports.clock.now();
    let frame = QuotationFrame::new(&found, now);
    output.data(&Frame::Quotation(frame.clone()), |_| view::quotation(&frame, now))
}
