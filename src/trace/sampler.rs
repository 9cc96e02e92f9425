//! Which traces are recorded: `OTEL_TRACES_SAMPLER`.

use super::TraceContext;

/// Decides for traces that begin here, and for spans of traces that began elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sampler {
    /// Traces whose lower 63 bits are below this are recorded.
    below: u64,
    /// Whether what the parent's process has decided holds here too.
    follows_parent: bool,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { below: Self::ALL, follows_parent: true }
    }
}

impl Sampler {
    const ALL: u64 = 1 << 63;

    /// By the names that OpenTelemetry gives them; `None` for others.
    pub(super) fn new(name: &str, argument: Option<f64>) -> Option<Self> {
        let (kind, follows_parent) = match name.strip_prefix("parentbased_") {
            Some(kind) => (kind, true),
            None => (name, false),
        };
        let below = match (kind, argument) {
            ("always_on", _) | ("traceidratio", None) => Self::ALL,
            ("always_off", _) => 0,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of the traces, which need not be exact"
            )]
            ("traceidratio", Some(share)) if (0.0..=1.0).contains(&share) => {
                (share * Self::ALL as f64) as u64
            }
            _ => return None,
        };
        Some(Self { below, follows_parent })
    }

    /// Whether a trace that begins here is recorded. The same for all who look at its id.
    #[expect(clippy::cast_possible_truncation, reason = "its lower half")]
    pub(super) const fn takes_root(self, trace: u128) -> bool {
        (trace as u64) >> 1 < self.below
    }

    /// Whether a span below this one is recorded.
    pub(super) const fn takes_child(self, parent: TraceContext) -> bool {
        if self.follows_parent { parent.sampled } else { self.takes_root(parent.trace) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(sampled: bool) -> TraceContext {
        TraceContext { trace: u128::MAX, span: 1, sampled }
    }

    #[test]
    fn everything_is_recorded_unless_the_parent_is_not() {
        let sampler = Sampler::default();
        assert_eq!(Sampler::new("parentbased_always_on", None), Some(sampler));
        assert!(sampler.takes_root(1) && sampler.takes_root(u128::MAX));
        assert!(sampler.takes_child(parent(true)) && !sampler.takes_child(parent(false)));
        let always = Sampler::new("always_on", None).unwrap();
        assert!(always.takes_child(parent(false)));
        let never = Sampler::new("always_off", None).unwrap();
        assert!(!never.takes_root(1) && !never.takes_child(parent(true)));
    }

    #[test]
    fn a_share_is_that_share_of_the_ids() {
        let quarter = Sampler::new("traceidratio", Some(0.25)).unwrap();
        let ids = (0..1000_u64).map(|n| u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let taken = ids.filter(|id| quarter.takes_root(*id)).count();
        assert!((200..300).contains(&taken), "{taken}");
        for (name, share) in [("traceidratio", 1.5), ("traceidratio", f64::NAN), ("some", 1.0)] {
            assert_eq!(Sampler::new(name, Some(share)), None);
        }
    }
}
