//! `ocache export`: writes past quotations as a trace for `ocache simulate`.

use super::args::{ExportCommand, ExportQuotationsArgs};
use super::engine::Engine;
use super::failure::{Failure, Result};
use super::interrupt::or_interrupted;
use super::list::is_asked_in;
use super::output::Output;
use super::settings::Settings;
use crate::ports::{Ports, Quotation, pages};
use crate::replay::TRACE_COLUMNS;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    command: ExportCommand,
) -> Result<()> {
    let ExportCommand::Quotations(args) = command;
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let done = or_interrupted(quotations(&ports, output, &args)).await;
    engine.close().await;
    done
}

/// Prints the quotations page by page. `ocache simulate` sorts them by time.
async fn quotations(ports: &Ports, output: &Output, args: &ExportQuotationsArgs) -> Result<()> {
    let now = ports.clock.now();
    let mut is_heard = output.print(&csv([TRACE_COLUMNS.map(str::to_owned)])?)?;
    let mut count = 0;
    let mut pages = pages(|from| ports.store.list_quotations(from));
    while is_heard && let Some(page) = pages.next().await? {
        let asked = page.iter().filter(|quotation| is_asked_in(quotation, args.over, now));
        let rows: Vec<_> = asked.map(row).collect();
        count += rows.len();
        is_heard = output.print(&csv(rows)?)?;
    }
    // Without a reader the quotations are not counted to their end.
    if is_heard && count == 0 {
        output.note("no quotations");
    }
    Ok(())
}

fn row(quotation: &Quotation) -> [String; 3] {
    let Quotation { accepted_at, user, items, .. } = quotation;
    [accepted_at.to_string(), user.to_string(), items.len().to_string()]
}

fn csv(rows: impl IntoIterator<Item = [String; 3]>) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(vec![]);
    for row in rows {
        writer.write_record(row).map_err(Failure::internal)?;
    }
    writer.into_inner().map_err(Failure::internal)
}
