use super::*;
use crate::memory::{Memory, TokioClock};
use crate::ports::SystemRandomness;

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

#[test]
fn what_is_counted_is_written_out() {
    let metrics = Metrics::new();
    let cause = Cause::Stale { version: 1 };
    for effect in [Effect::Calculated, Effect::Validated, Effect::Validated, Effect::Expired] {
        metrics.calculated(&user("A"), &cause, effect, Duration::from_millis(2));
    }
    metrics.breaker(Queue::Refresh, true);
    metrics.depth(Queue::Provider, Depth { waiting: 3, ..Depth::default() });
    metrics.acknowledged(Duration::from_millis(1));
    metrics.stage_panicked(Queue::Provider);
    assert_eq!(metrics.stage_panics(), 1);
    let text = metrics.render().unwrap();
    for line in [
        r#"ocache_recalculations_total{reason="stale",effect="written"} 1"#,
        r#"ocache_recalculations_total{reason="stale",effect="unchanged"} 2"#,
        r#"ocache_recalculations_total{reason="stale",effect="expired"} 1"#,
        r#"ocache_breaker_open{queue="refresh"} 1"#,
        r#"ocache_queue_messages{queue="provider",state="waiting"} 3"#,
        "ocache_recalculation_seconds_count 3",
        r#"ocache_stage_panics_total{queue="provider"} 1"#,
        r#"ocache_stage_panics_total{queue="refresh"} 0"#,
        "ocache_acknowledgement_seconds_count 1",
    ] {
        assert!(text.lines().any(|other| other == line), "no `{line}` in\n{text}");
    }
}

#[test]
fn the_last_tick_counts_whoever_did_it() {
    let metrics = Metrics::new();
    let text = metrics.render().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(text.contains(&format!("ocache_build_info{{version=\"{version}\"}} 1\n")), "{text}");
    assert!(!text.contains("ocache_active_users "), "no tick is known of: {text}");
    let tick = |secs, active_users| TickDone { at: Timestamp::from_secs(secs), active_users };
    let process = |roles: &[ProcessRole], tick| ProcessRecord {
        process: "a".to_owned(),
        roles: roles.into(),
        machine: "here".to_owned(),
        version: "1".to_owned(),
        started_at: Timestamp::default(),
        seen_at: Timestamp::default(),
        lives_until: Timestamp::default(),
        tick,
    };
    metrics.ticked(tick(100, 2));
    metrics.living(&[
        process(&[ProcessRole::Refresh, ProcessRole::PriceCalc], Some(tick(160, 3))),
        process(&[ProcessRole::PriceCalc], Some(tick(40, 9))),
    ]);
    metrics.time_is(Timestamp::from_secs(190));
    let text = metrics.render().unwrap();
    for line in [
        "ocache_active_users 3",
        "ocache_last_tick_age_seconds 30.0",
        r#"ocache_processes{role="refresh"} 1"#,
        r#"ocache_processes{role="price-calc"} 2"#,
        r#"ocache_processes{role="gateway"} 0"#,
    ] {
        assert!(text.lines().any(|other| other == line), "no `{line}` in\n{text}");
    }
}

#[test]
fn every_reason_and_effect_has_a_counter_of_its_own() {
    for (place, effect) in Effect::ALL.into_iter().enumerate() {
        assert_eq!(effect as usize, place);
    }
    for (place, warmth) in Warmth::ALL.into_iter().enumerate() {
        assert_eq!(warmth as usize, place);
    }
    let text = Metrics::new().render().unwrap();
    let begin_with = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!(begin_with("ocache_recalculations_total{"), REASONS.len() * Effect::ALL.len());
    assert_eq!(begin_with("ocache_quotations_total{"), OUTCOMES.len() * Warmth::ALL.len());
    let causes = [
        Cause::Stale { version: 1 },
        Cause::Change { version: 1, discounts: None },
        Cause::Subscribe { expires_at: Timestamp::default() },
    ];
    assert!(causes.iter().all(|cause| REASONS.contains(&cause.name())));
}

#[test]
fn the_course_reads_the_same_counters() {
    let metrics = Metrics::new();
    let cause = Cause::Subscribe { expires_at: Timestamp::default() };
    let now = Timestamp::from_secs(1_000);
    metrics.sample(now);
    metrics.calculated(&user("A"), &cause, Effect::Calculated, Duration::ZERO);
    metrics.calculated(&user("A"), &cause, Effect::Unneeded, Duration::ZERO);
    let course = metrics.course(now.plus(Duration::from_secs(1)));
    let total: u64 = course.iter().flat_map(|slot| slot.counts).sum();
    assert_eq!(total, 1, "what was left out is no recalculation");
}

#[test]
fn a_shelf_that_is_counted_is_not_kept() {
    let clock = Arc::new(TokioClock::new(Timestamp::default()));
    let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let (metrics, shelf) = (Metrics::new(), Arc::new(BaseShelf::new(ports.store)));
    metrics.keeps(&shelf);
    assert_eq!(Arc::strong_count(&shelf), 1);
    drop(shelf);
    assert!(metrics.render().is_ok());
}
