//! `ocache load --dry-run`: shows what a load would change.

use super::changes_file::ChangesFile;
use super::report::{counts_table, say_lost, say_mentions, summary};
use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::output::Output;
use crate::data::{
    self, Amounts, Dataset, Effect, LoadOptions, MovedPrice, MovedPrices, Preview, PreviewProgress,
    effect_json,
};
use crate::model::{ShownDecimal, plural};
use crate::ports::Ports;
use crate::pricing::Rate;

/// What a load would change, and the decimals with which its amounts are shown.
pub(super) struct Previewed {
    preview: Preview,
    unit_decimals: u8,
}

/// Calculates the preview, with a progress bar.
pub(super) async fn preview(
    output: &Output,
    ports: &Ports,
    dataset: &Dataset,
    options: LoadOptions,
    mut changes: Option<ChangesFile>,
) -> Result<Previewed> {
    let rows = dataset.rows();
    let bar = output.progress("comparing", rows);
    let progress = |progress| match progress {
        PreviewProgress::Compared(done) => bar.set_position(done),
        PreviewProgress::Priced(done) => {
            // The number of prices is known only at the end.
            bar.set_prefix("pricing");
            bar.set_length(done);
            bar.set_position(done);
        }
    };
    let unit_decimals = dataset.unit_decimals;
    if let Some(file) = &mut changes {
        file.set_unit_decimals(unit_decimals);
    }
    let prices: &mut (dyn MovedPrices + Send + Sync) = match &mut changes {
        Some(file) => file,
        None => &mut (),
    };
    let (store, clock) = (&*ports.store, &*ports.clock);
    let preview = data::preview(store, clock, dataset, options, prices, &progress).await?;
    bar.finish_and_clear();
    if let Some(mut file) = changes {
        file.finish().map_err(|error| {
            let message = format!("the changes of prices cannot be written: {error}");
            Failure::new(ExitCode::Failure, message)
        })?;
    }
    Ok(Previewed { preview, unit_decimals })
}

pub(super) fn print(output: &Output, dataset: &Dataset, previewed: &Previewed) -> Result<()> {
    let Previewed { preview, unit_decimals } = previewed;
    let Preview { version, counts, mentions, lost, unreadable, effect } = preview;
    let mut summary = summary(dataset, counts, mentions, lost, unreadable);
    summary["catalogue_version"] = (*version).into();
    summary["effect"] = effect_json(effect, *unit_decimals);
    output.data(&summary, |_| {
        format!("{}\n\n{}", counts_table(counts), effect_text(effect, *unit_decimals))
    })?;
    say_lost(output, lost, "would be removed");
    for why in unreadable {
        output.note(&format!("note: would replace what cannot be read: {why}"));
    }
    say_mentions(output, dataset, mentions);
    output.note("nothing was written");
    Ok(())
}

fn effect_text(effect: &Effect, unit_decimals: u8) -> String {
    let Effect { customers, affected, up, down, new, gone, under_floor } = effect;
    let mut lines = vec![match (customers, affected) {
        (0, _) => "no customer is active, so no price was compared".to_owned(),
        (customers, 0) => format!("no price of {} would change", active(*customers)),
        (customers, affected) => {
            format!("prices of {affected} of {} would change:", active(*customers))
        }
    }];
    for (name, moves) in [("up", up), ("down", down)] {
        if let Some(price) = &moves.most {
            let most = shown(price, unit_decimals);
            lines.push(format!("{:>10} {name}, at most {most}", moves.count));
        }
    }
    for (name, count) in [("new", new), ("gone", gone)] {
        if *count > 0 {
            lines.push(format!("{count:>10} {name}"));
        }
    }
    if let Some(price) = &under_floor.most {
        let amounts = Amounts { currency: price.currency, unit_decimals };
        let floor = price.floor.map(|floor| amounts.shown(floor)).unwrap_or_default();
        let most = shown(price, unit_decimals);
        lines.push(format!(
            "{:>10} under their floor, farthest {most}, floor {floor}",
            under_floor.count
        ));
    }
    lines.join("\n")
}

fn active(customers: u64) -> String {
    format!("{customers} active {}", plural(customers, "customer", "customers"))
}

/// Formats a changed price: `+12.5 %: P1 for AAA from 10.00 to 11.25 USD`.
fn shown(price: &MovedPrice, unit_decimals: u8) -> String {
    let MovedPrice { customer, product, min_quantity, before, after, currency, .. } = price;
    let amounts = Amounts { currency: *currency, unit_decimals };
    let amount = |price: &Option<_>| match price {
        Some(price) => amounts.shown(*price),
        None => "no price".to_owned(),
    };
    let percent = price.fall().map(|fall| format!("{} %: ", signed_percent(fall)));
    let quantity = match min_quantity.thousandths() {
        0 => String::new(),
        _ => format!(" at {min_quantity}"),
    };
    format!(
        "{}`{product}` for `{customer}`{quantity}, {} to {} {currency}",
        percent.unwrap_or_default(),
        amount(before),
        amount(after)
    )
}

/// Formats the increase of a price in percent with two decimals: `+12.5`.
fn signed_percent(fall: Rate) -> String {
    const DECIMALS: u32 = 2;
    const MILLIONTHS: i64 = 10_000;
    let half = MILLIONTHS / 2 * fall.millionths().signum();
    let rise = -(fall.millionths() + half) / MILLIONTHS;
    let sign = if rise > 0 { "+" } else { "" };
    format!("{sign}{}", ShownDecimal::trimmed(rise, DECIMALS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_has_a_plus_and_two_decimals() {
        for (fall, shown) in [
            ("-7.751938", "+7.75"),
            ("12.5", "-12.5"),
            ("33.335", "-33.34"),
            ("0.001", "0"),
            ("-100", "+100"),
        ] {
            assert_eq!(signed_percent(fall.parse().unwrap()), shown, "{fall}");
        }
    }
}
