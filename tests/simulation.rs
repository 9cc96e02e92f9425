//! Tests the whole system under seeded faults.
//!
//! `OCACHE_SIMULATION_SEEDS` says how many seeds to try, `OCACHE_SIMULATION_FIRST` the first of them, and
//! `OCACHE_SIMULATION_STORY` how many of the last events the report of a violation has:
//!
//! ```text
//! OCACHE_SIMULATION_SEEDS=1000000 cargo test --release --test simulation
//! OCACHE_SIMULATION_FIRST=4711 OCACHE_SIMULATION_SEEDS=1 cargo test --test simulation
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

use ocache::simulation::{PlantedBug, Simulation, SimulationReport, Violation};

/// Enough of a story to understand most violations.
const STORY_LINES: u64 = 60;
/// As many as an ordinary test run has time for.
const SEEDS: u64 = 100;
/// This many seeds find every planted bug.
const SEEDS_PER_BUG: u64 = 1_000;
/// A seed that finds each planted bug. If it does not any more, all seeds are tried, which takes minutes.
const FINDING_SEEDS: [u64; PlantedBug::ALL.len()] =
    [0, 1, 4, 21, 9, 2, 2, 0, 4, 313, 0, 105, 53, 0, 5, 0, 0, 229, 70, 6, 6, 6];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Runs a future on a runtime of its own, as every run needs.
fn alone<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run)
}

/// Repeats a run with its story.
fn replay(simulation: Simulation) -> Violation {
    let lines = setting("OCACHE_SIMULATION_STORY", STORY_LINES);
    let story_lines = usize::try_from(lines).unwrap();
    let told = Simulation { story_lines, ..simulation };
    alone(told.run()).expect_err("a seed replays")
}

/// Runs seeds side by side until one violates an invariant.
fn try_seeds(
    first: u64,
    count: u64,
    bug: Option<PlantedBug>,
) -> Result<SimulationReport, Violation> {
    let next = AtomicU64::new(first);
    let found = AtomicU64::new(u64::MAX);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut report = SimulationReport::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Smaller seeds are still tried, so that the result is always the smallest one.
            if seed >= first + count || seed > found.load(Ordering::Relaxed) {
                return report;
            }
            match alone(Simulation { bug, ..Simulation::of(seed) }.run()) {
                Ok(run) => report.add(&run),
                Err(_) => {
                    found.fetch_min(seed, Ordering::Relaxed);
                }
            }
        }
    };
    let mut total = SimulationReport::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            total.add(&thread.join().unwrap());
        }
    });
    match found.into_inner() {
        u64::MAX => Ok(total),
        seed => Err(replay(Simulation { bug, ..Simulation::of(seed) })),
    }
}

#[test]
fn every_promise_is_kept_under_every_seed() {
    let first = setting("OCACHE_SIMULATION_FIRST", 0);
    let seeds = setting("OCACHE_SIMULATION_SEEDS", SEEDS);
    match try_seeds(first, seeds, None) {
        Ok(report) => println!("{report}"),
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in 0..8 {
        let simulation = Simulation { story_lines: usize::MAX, ..Simulation::of(seed) };
        let (first, second) = (alone(simulation.tell()), alone(simulation.tell()));
        assert!(first.1.len() > 20, "seed {seed}: {:?}", first.1);
        assert_eq!(first, second, "seed {seed}");
        assert_eq!(alone(Simulation::of(seed).run()).ok(), first.0.ok(), "seed {seed}, untold");
    }
}

/// Tests that every planted bug is found, by the invariant that it violates.
#[test]
fn planted_bugs_are_found() {
    let mut missed = vec![];
    for (bug, seed) in PlantedBug::ALL.into_iter().zip(FINDING_SEEDS) {
        let unfound = try_seeds(seed, 1, Some(bug));
        match unfound.and_then(|_| try_seeds(0, SEEDS_PER_BUG, Some(bug))) {
            Ok(_) => missed.push(bug),
            Err(found) => {
                let Violation { seed, invariant, what, .. } = found;
                println!("{bug:?}: seed {seed} breaks {invariant:?}: {what}");
            }
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS_PER_BUG} seeds: {missed:?}");
}
