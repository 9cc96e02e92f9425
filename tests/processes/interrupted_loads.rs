//! Tests that loads are interrupted at any moment, and each has done all of it or nothing.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocache::model::UserId;
use ocache::stages::subscribe::unsubscribe;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use super::editions::{self, Size};
use super::fleet::{Fleet, Role};
use super::killing::{load, setting};
use super::line::Line;
use super::stack::Stack;

/// As many as an ordinary test run has time for.
const INTERRUPTS: u64 = 6;
const PRODUCTS: u64 = 3_000;
/// Once by each signal.
#[cfg(feature = "aws")]
const INTERRUPTS_ON_AWS: u64 = 3;
/// Fewer, because a load takes a call for each row there, and the signals come at shares of its time.
#[cfg(feature = "aws")]
const PRODUCTS_ON_AWS: u64 = 300;
/// How many new users ask after each interruption.
const ASKING: u64 = 3;
/// How many products each asks for beside those on which it has a discount.
const ITEMS: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Int,
    Term,
    Kill,
}

/// How an interrupted load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It said that nothing was changed.
    Nothing,
    /// It said that all of it is in force, as this version.
    InForce(u64),
    /// It was done before the signal came.
    Done,
    /// It could say nothing.
    Killed,
}

#[derive(Default)]
struct Report {
    ends: Vec<(Signal, End, bool)>,
    answers: u64,
    ready: Vec<Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_loads_on_the_embedded_store() {
    interrupt_and_check(Stack::embedded(), INTERRUPTS, PRODUCTS).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn interrupted_loads_on_aws() {
    interrupt_and_check(Stack::aws().await, INTERRUPTS_ON_AWS, PRODUCTS_ON_AWS).await;
}

async fn interrupt_and_check(stack: Stack, interrupts: u64, products: u64) {
    let interrupts = setting("OCACHE_INTERRUPTS", interrupts);
    let seed = setting("OCACHE_KILLS_SEED", 1);
    let products = setting("OCACHE_LOAD_PRODUCTS", products);
    let mut chance = StdRng::seed_from_u64(seed);
    let size = Size { products, users: interrupts * (ASKING + 1) };
    let mut run = Run { stack: Arc::new(stack), size, in_force: 0, asked: 0 };
    run.load(1).await;
    let mut whole = run.load(2).await;

    let mut report = Report::default();
    for (nth, moment) in (0..).zip(moments(interrupts, &mut chance)) {
        let signal = [Signal::Int, Signal::Term, Signal::Kill][nth % 3];
        let mut after = whole.mul_f64(moment);
        let (end, changed) = loop {
            match run.interrupt(signal, after).await {
                // It was faster than the measured one.
                (End::Done, _) => {
                    after = after.mul_f64(0.8);
                    // In a script's background, children ignore Ctrl-C.
                    assert!(after > Duration::from_micros(100), "{signal:?} ends no load here");
                }
                interrupted => break interrupted,
            }
        };
        eprintln!("{}, seed {seed}, at {moment:.2}: {signal:?}, {end:?}", run.stack.engine);
        report.ends.push((signal, end, changed));

        let began = Instant::now();
        let mut fleet = Fleet::start(run.stack.clone(), &[Role::Up]).await;
        let url = fleet.up_address().await;
        report.ready.push(began.elapsed());
        let mut line = Line::open(&url, &format!("after-{nth}")).await;
        for _ in 0..ASKING {
            run.quote(&mut line, &mut chance).await;
            report.answers += 1;
        }
        whole = run.load(run.in_force + 1).await;
        run.quote(&mut line, &mut chance).await;
        report.answers += 1;
        fleet.drain(Role::Up).await;
        run.forget_users().await;
    }
    let verified = run.stack.run(&["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    eprintln!("{} with {products} products, seed {seed}: {report}", run.stack.engine);
    if let Ok(stack) = Arc::try_unwrap(run.stack) {
        stack.close().await;
    }
}

/// Returns moments of a whole load, as fractions spread over all of it, in random order.
fn moments(count: u64, chance: &mut StdRng) -> Vec<f64> {
    let part = 1.0 / count as f64;
    let mut moments: Vec<f64> =
        (0..count).map(|nth| (nth as f64 + chance.random_range(0.0..1.0)) * part).collect();
    moments.shuffle(chance);
    moments
}

struct Run {
    stack: Arc<Stack>,
    size: Size,
    /// The edition that all answers must have.
    in_force: u64,
    /// How many users have asked.
    asked: u64,
}

impl Run {
    fn file(&self, edition: u64) -> String {
        self.stack.file("edition.ndjson", self.size.file(edition))
    }

    /// Loads an edition. Returns how long that took.
    async fn load(&mut self, edition: u64) -> Duration {
        let file = self.file(edition);
        let began = Instant::now();
        load(&self.stack, &[&file]).await;
        self.in_force = edition;
        began.elapsed()
    }

    async fn version(&self) -> u64 {
        self.stack.ports.store.catalogue_head().await.unwrap().map_or(0, |head| head.version)
    }

    /// Begins to load the next edition and sends the signal after a time. Checks that the load did what it
    /// says. Returns the end, and whether something changed.
    async fn interrupt(&mut self, signal: Signal, after: Duration) -> (End, bool) {
        let before = self.version().await;
        let path = self.file(self.in_force + 1);
        let mut command = self.stack.command(&["load", &path]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(after).await;
        match signal {
            Signal::Kill => child.kill().unwrap(),
            Signal::Int => send(&child, "-INT"),
            Signal::Term => send(&child, "-TERM"),
        }
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let version = self.version().await;
        let changed = version != before;
        let end = match (output.status.code(), output.status.signal()) {
            (Some(0), _) => End::Done,
            (Some(130), _) if said.contains("nothing was changed") => End::Nothing,
            (Some(130), _) if said.contains(&format!("as catalogue version {version}")) => {
                End::InForce(version)
            }
            // Before the process listens for signals, they end it.
            (None, Some(_)) => End::Killed,
            _ => panic!("{signal:?} after {after:?}: {}: {said}", output.status),
        };
        assert!(version == before || version == before + 1, "{before}, then {version}");
        match end {
            End::Nothing => assert!(!changed, "{said}"),
            End::InForce(_) | End::Done => assert!(changed, "{said}"),
            End::Killed => {}
        }
        self.in_force += u64::from(changed);
        (end, changed)
    }

    /// Asks for a new user, and checks that the answer has the edition in force.
    async fn quote(&mut self, line: &mut Line, chance: &mut StdRng) {
        let user = self.asked;
        self.asked += 1;
        let mut products = self.size.discounted(user);
        products.extend((0..ITEMS).map(|_| chance.random_range(0..self.size.products)));
        let items: Vec<_> = products.into_iter().map(|index| (index, 1 + index % 3)).collect();
        let answer = line.quote(user, &items).await;
        assert_eq!(self.size.edition_of(user, &items, &answer), Ok(self.in_force));
    }

    /// Unsubscribes the users who have asked, so that later loads order no tables of theirs.
    async fn forget_users(&self) {
        for user in (0..self.asked).rev().take(usize::try_from(ASKING + 1).unwrap()) {
            let user = UserId::new(editions::user(user)).unwrap();
            unsubscribe(&*self.stack.ports.store, None, &user).await.unwrap();
        }
    }
}

fn send(child: &std::process::Child, signal: &str) {
    let pid = child.id().to_string();
    // The process may have ended by itself.
    let _ = std::process::Command::new("kill").args([signal, &pid]).output().unwrap();
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said =
            |wanted: fn(&End) -> bool| self.ends.iter().filter(|(_, end, _)| wanted(end)).count();
        let killed = |changed| {
            self.ends.iter().filter(|(_, end, c)| *end == End::Killed && *c == changed).count()
        };
        let mut ready = self.ready.clone();
        ready.sort_unstable();
        writeln!(
            f,
            "| interrupted | said nothing changed | said in force | killed before \
             it was in force | killed after | answers, all of one load | `up` ready: median, longest |"
        )?;
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {:.0?}, {:.0?} |",
            self.ends.len(),
            said(|end| *end == End::Nothing),
            said(|end| matches!(end, End::InForce(_))),
            killed(false),
            killed(true),
            self.answers,
            ready.get(ready.len() / 2).copied().unwrap_or_default(),
            ready.last().copied().unwrap_or_default(),
        )
    }
}
