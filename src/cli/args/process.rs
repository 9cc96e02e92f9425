//! The arguments for the resources of one process.

use clap::Args;

use super::policy::PolicyArgs;
use crate::stages::Lookup;

const LIMITS: &str = "Limits of this process";

/// How the stages of a process work.
#[derive(Debug, Args)]
pub struct StageArgs {
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub slots: SlotArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
}

/// How many messages one worker has in hand.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = LIMITS)]
pub struct SlotArgs {
    /// Maximum scheduled calculations at once
    #[arg(long, value_name = "N", env = "OCACHE_REFRESH_SLOTS", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub refresh_slots: u16,
    /// Maximum urgent calculations at once; scheduled ones never take these slots
    #[arg(long, value_name = "N", env = "OCACHE_URGENT_SLOTS", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub urgent_slots: u16,
    /// Maximum quotations at once
    #[arg(long, value_name = "N", env = "OCACHE_PROVIDER_SLOTS", default_value = "100", value_parser = clap::value_parser!(u16).range(1..))]
    pub provider_slots: u16,
}

/// How much a process keeps in memory.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = LIMITS)]
pub struct MemoryArgs {
    /// Memory for the catalogue, in MB; for its unpacked parts, others are read again when needed
    #[arg(long, value_name = "MB", env = "OCACHE_BASE_MEMORY", default_value = "128", value_parser = clap::value_parser!(u32).range(1..))]
    pub base_memory: u32,
}

/// Where the metrics of a process are served beside its gateway, or without one.
#[derive(Clone, Copy, Debug, Args)]
pub struct MetricsArgs {
    /// Serve /metrics on this port of loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_METRICS_PORT")]
    pub metrics_port: Option<u16>,
}

impl MemoryArgs {
    /// Applies the limit to a process.
    pub(in crate::cli) fn bound(self, lookup: &Lookup) {
        lookup.bases().keep_at_most(u64::from(self.base_memory) * 1024 * 1024);
    }
}
