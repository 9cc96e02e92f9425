//! The settings that prices depend on: the decimals of unit prices, and where halves are rounded.
//!
//! They are stored with the prices, and a change is a load. It takes effect together with the prices
//! rounded in the new way, and orders the table of every active customer.

use serde_json::json;

use super::super::args::{ROUNDING, SetKey, UNIT_DECIMALS};
use super::super::engine::Engine;
use super::super::failure::{ExitCode, Failure, Result};
use super::super::output::Output;
use super::super::settings::Settings;
use super::{Origin, ShownSetting};
use crate::data::set_rounding;
use crate::model::plural;
use crate::ports::{CatalogueHead, Ports};
use crate::pricing::UnitRounding;
use crate::stages::change;

pub(super) async fn set(
    settings: &Settings,
    output: &Output,
    key: SetKey,
    value: &str,
) -> Result<()> {
    let engine = Engine::open(settings, output).await?;
    let done = set_in(&engine.ports(None), key, value).await;
    engine.close().await;
    let (before, now, ordered) = done?;
    let (name, before, now) = match key {
        SetKey::Rounding => (ROUNDING, before.rounding.to_string(), now.rounding.to_string()),
        _ => (UNIT_DECIMALS, before.unit_decimals.to_string(), now.unit_decimals.to_string()),
    };
    if ordered > 0 {
        let (tables, are) = (plural(ordered, "table", "tables"), plural(ordered, "is", "are"));
        output.note(&format!("{ordered} {tables} of active customers {are} calculated again"));
    }
    let data = json!({
        "setting": name, "value": now, "before": before, "in_force": now,
    });
    output.data(&data, |_| format!("{name}  {before} → {now}"))
}

/// Sets one of them. Returns the previous value, the new value, and the number of ordered tables.
async fn set_in(
    ports: &Ports,
    key: SetKey,
    value: &str,
) -> Result<(UnitRounding, UnitRounding, usize)> {
    let head = ports.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
    let before = head.rounding;
    let refused = |reason: String| Failure::new(ExitCode::Usage, reason);
    let now = match key {
        SetKey::Rounding => {
            let rounding = value.parse();
            let rounding =
                rounding.map_err(|why| refused(format!("{ROUNDING} cannot be set: {why}")))?;
            UnitRounding { rounding, ..before }
        }
        _ => {
            let decimals = value.parse().ok();
            let decimals = decimals.filter(|decimals| *decimals <= UnitRounding::MAX_UNIT_DECIMALS);
            let most = UnitRounding::MAX_UNIT_DECIMALS;
            let unit_decimals = decimals.ok_or_else(|| {
                refused(format!(
                    "{UNIT_DECIMALS} cannot be set: `{value}` is not one of 0 to {most}"
                ))
            })?;
            UnitRounding { unit_decimals, ..before }
        }
    };
    let (store, clock) = (&*ports.store, &*ports.clock);
    let Some(change) = set_rounding(store, clock, &*ports.randomness, now).await? else {
        return Ok((before, now, 0));
    };
    let ordered = change::order(store, &*ports.queues, &change, clock.now()).await?;
    Ok((before, now, ordered.ordered))
}

/// Returns both settings as they are in force.
pub(super) fn shown(in_force: UnitRounding) -> [ShownSetting; 2] {
    let shown = |name: &str, value: String, is_default| ShownSetting {
        setting: name.to_owned(),
        value: Some(value),
        origin: if is_default { Origin::Default } else { Origin::Stack },
        from: None,
    };
    let UnitRounding { unit_decimals, rounding } = in_force;
    [
        shown(ROUNDING, rounding.to_string(), rounding == UnitRounding::PLAIN.rounding),
        shown(UNIT_DECIMALS, unit_decimals.to_string(), unit_decimals == 0),
    ]
}
