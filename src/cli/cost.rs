//! `ocache cost`: shows what a stack costs, measured or forecast.

mod forecast;
mod measured;
mod show;

use super::args::{CostArgs, CostCommand};
use super::failure::Result;
use super::output::Output;
use super::settings::Settings;

pub(super) async fn run(settings: &Settings, output: &Output, args: CostArgs) -> Result<()> {
    match &args.command {
        Some(CostCommand::Forecast(args)) => forecast::run(output, args).await,
        None => measured::run(settings, output, &args).await,
    }
}
