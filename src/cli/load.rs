//! `ocache load`: loads files into the store.

mod changes_file;
mod dry_run;
mod report;
mod template;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use changes_file::ChangesFile;
use dry_run::Previewed;

use super::args::LoadArgs;
use super::engine::{Engine, makes_store};
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::or_interrupted;
use super::interrupted_load;
use super::load_section::LoadSection;
use super::named_file;
use super::output::Output;
use super::parse::parsed;
use super::settings::Settings;
use crate::data::{
    self, Amounts, Dataset, FilesSeen, Layout, LoadError, LoadOptions, LoadProgress, LoadReport,
    Watched,
};
use crate::memory::Memory;
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, Ports, SystemClock, SystemRandomness};
use crate::pricing::Currency;
use crate::stages::change;

/// The arguments of a load.
struct Loading<'a> {
    settings: &'a Settings,
    output: &'a Output,
    /// Where the opened engine is named.
    opening: Output,
    args: &'a LoadArgs,
    layout: Layout,
}

pub(super) async fn run(settings: &Settings, output: &Output, args: LoadArgs) -> Result<()> {
    if let Some(template) = &args.template {
        return template::write(output, template);
    }
    let layout = section()?.under(&args.layout)?;
    args.paths.iter().try_for_each(|path| named_file::check(path))?;
    let loading = Loading { settings, output, opening: *output, args: &args, layout };
    if args.watch {
        return watch::run(loading).await;
    }
    loading.once(None).await?.print(output)
}

impl Loading<'_> {
    /// Loads the files, or shows what that would change. Watched files are loaded only if they are still
    /// as they were seen.
    async fn once(&self, seen: Option<&FilesSeen>) -> Result<Done> {
        let Self { settings, output, opening, args, layout } = self;
        let without_store = or_interrupted(self.without_store()).await;
        let (read_before, changes) = match without_store.map_err(before_the_store)? {
            WithoutStore::Read(read_before, changes) => (read_before, changes),
            WithoutStore::Done(done) => return Ok(done),
        };
        let engine = Engine::open(settings, opening).await?;
        let ports = engine.ports(None);
        let watched = Watched::default();
        let done = or_interrupted(async {
            let amounts = amounts(&ports, args.currency).await?;
            let dataset = match read_before {
                Some((read_in, dataset)) if read_in == amounts => dataset,
                // The store was made in another currency in the meantime, and standard input cannot be
                // read twice.
                Some(_) if args.paths.iter().any(|path| path == Path::new("-")) => {
                    let message = "the store was made in another currency while this load read it";
                    let failure = Failure::new(ExitCode::Failure, message);
                    return Err(failure.hint("load the files again"));
                }
                _ => read(output, &args.paths, amounts, layout).await?,
            };
            let options = args.options(amounts.currency);
            if args.dry_run {
                let preview = dry_run::preview(output, &ports, &dataset, options, changes).await?;
                return Ok(Done::Previewed(dataset, Box::new(preview)));
            }
            // A file that was written while it was read may contain old and new data.
            if let Some(seen) = seen
                && watch::look(&args.paths).await? != *seen
            {
                return Ok(Done::Overtaken);
            }
            let report = write(output, &ports, &dataset, options, &watched).await?;
            let ordered = order_tables(output, &ports, &report).await;
            Ok(Done::Loaded(dataset, Box::new(report), ordered))
        })
        .await;
        let done = match done {
            Err(failure) if failure.code() == ExitCode::Interrupted => {
                Err(interrupted_load::interrupted(&watched, &*ports.store).await)
            }
            done => done,
        };
        engine.close().await;
        done
    }

    /// Does what needs no store. If there is no store yet, bad files do not create one.
    async fn without_store(&self) -> Result<WithoutStore> {
        let Self { settings, output, args, layout, .. } = self;
        if let Some(changes) = &args.changes {
            named_file::check_written(changes, args.paths.iter().map(PathBuf::as_path))?;
        }
        let read_before = match makes_store(settings) {
            true => {
                let amounts = Amounts::from(args.currency.unwrap_or(Currency::USD));
                Some((amounts, read(output, &args.paths, amounts, layout).await?))
            }
            false => None,
        };
        let changes = args.changes.as_deref().map(ChangesFile::create).transpose()?;
        match read_before {
            // A dry run does not create a store either. It compares with an empty one.
            Some((amounts, dataset)) if args.dry_run => {
                let nothing =
                    Memory::new(Arc::new(SystemClock), Arc::new(SystemRandomness)).ports();
                let options = args.options(amounts.currency);
                let preview =
                    dry_run::preview(output, &nothing, &dataset, options, changes).await?;
                Ok(WithoutStore::Done(Done::Previewed(dataset, Box::new(preview))))
            }
            read_before => Ok(WithoutStore::Read(read_before, changes)),
        }
    }
}

/// The result of what is done before the store is opened.
enum WithoutStore {
    /// The file for changes is open. The files are read if there is no store that determines their
    /// currency.
    Read(Option<(Amounts, Dataset)>, Option<ChangesFile>),
    /// The command is finished.
    Done(Done),
}

/// Adds to an interruption before the store was opened that nothing was changed.
fn before_the_store(failure: Failure) -> Failure {
    match failure.code() {
        ExitCode::Interrupted => interrupted_load::nothing_changed(),
        _ => failure,
    }
}

impl LoadArgs {
    const fn options(&self, currency: Currency) -> LoadOptions {
        LoadOptions { currency, prune: self.prune, merge: self.merge }
    }
}

/// Returns the currency and the decimals with which the files are read.
async fn amounts(ports: &Ports, given: Option<Currency>) -> Result<Amounts> {
    let head = ports.store.catalogue_head().await?;
    let stored = head.as_ref().filter(|head| head.version > 0).map(|head| head.currency);
    let currency = given.or(stored).unwrap_or(Currency::USD);
    Ok(Amounts { currency, unit_decimals: head.map_or(0, |head| head.rounding.unit_decimals) })
}

/// The result of a run.
enum Done {
    Loaded(Dataset, Box<LoadReport>, usize),
    /// Nothing was written.
    Previewed(Dataset, Box<Previewed>),
    /// Nothing was written, because a watched file was written in the meantime.
    Overtaken,
}

impl Done {
    fn print(&self, output: &Output) -> Result<()> {
        match self {
            Self::Loaded(dataset, report, ordered) => {
                report::print(output, dataset, report, *ordered)
            }
            Self::Previewed(dataset, preview) => dry_run::print(output, dataset, preview),
            Self::Overtaken => Ok(()),
        }
    }
}

/// Returns the `[load]` section of the settings file.
fn section() -> Result<LoadSection> {
    Ok(parsed()?.file.map(|file| file.load_section().clone()).unwrap_or_default())
}

/// Reads the files on a thread of its own. They may be large or a pipe, and Ctrl-C must still work.
async fn read(
    output: &Output,
    paths: &[PathBuf],
    amounts: Amounts,
    layout: &Layout,
) -> Result<Dataset> {
    let bar = output.progress("reading", data::total_bytes(paths)?);
    let (shown, paths, layout) = (bar.clone(), paths.to_owned(), layout.clone());
    let reading = move || data::read(&paths, amounts, &layout, &|bytes| shown.set_position(bytes));
    let dataset = tokio::task::spawn_blocking(reading).await.map_err(Failure::internal)?;
    bar.finish_and_clear();
    Ok(dataset?)
}

/// Loads a data set, with a progress bar.
pub(super) async fn write(
    output: &Output,
    ports: &Ports,
    dataset: &Dataset,
    options: LoadOptions,
    watched: &Watched,
) -> Result<LoadReport, LoadError> {
    let rows = dataset.rows();
    let bar = output.progress("comparing", rows);
    let (store, clock, randomness) = (&*ports.store, &*ports.clock, &*ports.randomness);
    let show = |what, done, all| {
        bar.set_prefix(what);
        bar.set_length(all);
        bar.set_position(done);
    };
    let progress = |progress: LoadProgress<'_>| {
        watched.note(&progress);
        match progress {
            LoadProgress::Compared(done) => show("comparing", done, rows),
            LoadProgress::Written(done, all) => show("writing", done, all),
            LoadProgress::Folded(done, all) => show("folding", done, all),
            LoadProgress::Began(..) | LoadProgress::Committing | LoadProgress::InForce(_) => {}
        }
    };
    let loading = data::load(store, clock, randomness, dataset, options, &progress);
    let report = Scope::new(Stage::Load, Reason::Load).of(loading).await;
    bar.finish_and_clear();
    report
}

/// Orders a calculation for every active customer whose table the load has made outdated. If that fails,
/// the load still counts, and the schedule finds what changed.
async fn order_tables(output: &Output, ports: &Ports, report: &LoadReport) -> usize {
    let now = ports.clock.now();
    match change::order(&*ports.store, &*ports.queues, &report.change, now).await {
        Ok(done) => done.ordered,
        Err(error) => {
            let why = Chain(&error).to_string();
            output.note(&format!("note: tables change at the next refresh, not at once: {why}"));
            0
        }
    }
}
