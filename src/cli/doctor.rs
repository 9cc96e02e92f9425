//! `ocache doctor`: checks each thing that ocache needs, and says how to fix what is wrong.

use std::collections::BTreeSet;

use serde::Serialize;

use super::engine::{Engine, EngineKind, HALF_LOADED, load_again};
use super::failure::{ExitCode, Failure, Result};
use super::output::{Output, table};
use super::pasted;
use super::settings::Settings;
use super::workers::{Workers, in_words, names, start_one};
use crate::model::{RequestId, UserId};
use crate::ports::{Chain, PortError, Ports, ProcessRole, Queue, Segment, pages};
use crate::runtime::gateway::probe;

/// The result of one check.
#[derive(Serialize)]
struct Check {
    what: String,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Check {
    fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, found: found.into(), mend: None }
    }

    fn wrong(what: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), ok: false, found: found.into(), mend: Some(mend.into()) }
    }

    /// Returns a failed check for an error of a port, with its usual remedy.
    fn failed(what: impl Into<String>, error: &PortError) -> Self {
        let mend = match error {
            PortError::Missing { .. } => "`ocache provision`",
            PortError::Denied { .. } => "use credentials that may do this: --profile, AWS_PROFILE",
            PortError::Unavailable { .. } | PortError::Throttled { .. } => {
                "check that it runs and can be reached, and run `ocache doctor` again"
            }
            PortError::Refused { .. } | PortError::Rejected { .. } | PortError::Corrupt { .. } => {
                "see the message"
            }
        };
        #[cfg(feature = "aws")]
        let mend = &super::refusals::hint(error).unwrap_or_else(|| mend.to_owned());
        Self::wrong(what, Chain(error).to_string(), mend)
    }
}

pub(super) async fn run(settings: &Settings, output: &Output) -> Result<()> {
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let mut checks = match engine.kind() {
        EngineKind::Embedded(_) => vec![Check::ok("store", engine.label.clone())],
        #[cfg(feature = "aws")]
        EngineKind::Aws(aws) => aws_checks(aws, &ports).await,
    };
    checks.push(a_write(&ports).await);
    checks.push(catalogue(&ports).await);
    checks.extend(half_load(&engine, settings).await);
    for queue in Queue::ALL {
        checks.push(dead_letters(&ports, queue).await);
    }
    checks.push(work(&engine, &ports, settings).await);
    checks.extend(gateways(&engine).await);
    engine.close().await;
    for mend in checks.iter_mut().filter_map(|check| check.mend.as_mut()) {
        *mend = pasted::for_stack(mend, &settings.as_flags);
        #[cfg(feature = "aws")]
        {
            *mend = super::refusals::for_profile(mend, settings.aws.profile.as_deref());
        }
    }
    print(output, &checks)
}

/// Checks that the store can be written. Records a visit that is expired already, and removes it.
async fn a_write(ports: &Ports) -> Check {
    const WHAT: &str = "a write";
    let now = ports.clock.now();
    let name = RequestId::made(now, ports.randomness.bits());
    let user = match UserId::new(format!("ocache-doctor-{name}")) {
        Ok(user) => user,
        Err(error) => return Check::wrong(WHAT, error.to_string(), "see the message"),
    };
    let written = async {
        ports.store.record_visit(&user, now, now).await?;
        ports.store.remove_active_user(&user).await.map(drop)
    };
    match written.await {
        Ok(()) => Check::ok(WHAT, "done, and undone"),
        Err(error) => Check::failed(WHAT, &error),
    }
}

async fn catalogue(ports: &Ports) -> Check {
    match ports.store.catalogue_head().await {
        Ok(Some(head)) => {
            Check::ok("products", format!("version {} in {}", head.version, head.currency))
        }
        Ok(None) => Check::wrong("products", "none are loaded", "`ocache load PATH`"),
        Err(error) => Check::failed("products", &error),
    }
}

/// Shows a half-done load. Nothing is shown if there is none, because current releases cannot leave one.
async fn half_load(engine: &Engine, settings: &Settings) -> Option<Check> {
    match engine.is_half_loaded().await {
        Ok(false) => None,
        Ok(true) => Some(Check::wrong("load", HALF_LOADED, load_again(settings))),
        Err(error) => Some(Check::failed("load", &error)),
    }
}

async fn dead_letters(ports: &Ports, queue: Queue) -> Check {
    let what = match queue {
        Queue::Provider => format!("dead letters of {queue}, and what the topic did not deliver"),
        _ => format!("dead letters of {queue}"),
    };
    match ports.queues.depth(queue).await {
        Ok(depth) if depth.dead == 0 => Check::ok(what, "none"),
        Ok(depth) => {
            let mend = format!("`ocache dead-letters list --queue {queue}`");
            Check::wrong(what, depth.dead.to_string(), mend)
        }
        Err(error) => Check::failed(what, &error),
    }
}

/// Checks that there are processes for active customers and for waiting quotations.
async fn work(engine: &Engine, ports: &Ports, settings: &Settings) -> Check {
    const WHAT: &str = "processes";
    let looked = async {
        let workers = Workers::look(engine).await?;
        let needs = needs(ports).await?;
        Ok::<_, PortError>((workers, needs))
    };
    let (workers, needs) = match looked.await {
        Ok(looked) => looked,
        Err(error) => return Check::failed(WHAT, &error),
    };
    let lacking = needs.iter().map(|(who, roles)| (*who, workers.missing(roles)));
    let lacking: Vec<_> = lacking.filter(|(_, missing)| !missing.is_empty()).collect();
    if !lacking.is_empty() {
        let who: Vec<_> = lacking.iter().map(|(who, _)| *who).collect();
        let missing: BTreeSet<_> = lacking.into_iter().flat_map(|(_, missing)| missing).collect();
        let missing: Vec<_> = missing.into_iter().collect();
        let found = format!("{}; no process runs {}", who.join(", "), names(&missing));
        return Check::wrong(WHAT, found, start_one(&settings.as_flags));
    }
    let found = match (workers.living.as_slice(), needs.is_empty()) {
        ([], true) => "none is alive, and no message waits for one".to_owned(),
        ([], false) => "functions do the work".to_owned(),
        (living, _) => living.iter().map(in_words).collect::<Vec<_>>().join("; "),
    };
    Check::ok(WHAT, found)
}

/// Returns what waits, and the roles that it waits for.
async fn needs(ports: &Ports) -> Result<Vec<(&'static str, Vec<ProcessRole>)>, PortError> {
    let waiting = async |queue| {
        let depth = ports.queues.depth(queue).await?;
        Ok::<_, PortError>(depth.waiting + depth.in_flight > 0)
    };
    let mut needs = vec![];
    if waiting(Queue::Provider).await? {
        needs.push(("quotations wait", vec![ProcessRole::QuotationProvider]));
    }
    if waiting(Queue::Quotation).await? {
        needs.push(("quotations or new customers wait", vec![ProcessRole::PriceCalc]));
    }
    if has_active_users(ports).await? {
        needs.push(("customers are active", vec![ProcessRole::Refresh, ProcessRole::PriceCalc]));
    }
    Ok(needs)
}

/// Stops reading at the first active customer.
async fn has_active_users(ports: &Ports) -> Result<bool, PortError> {
    let now = ports.clock.now();
    let mut pages = pages(|from| ports.store.list_active_users(Segment::ALL, now, from));
    while let Some(page) = pages.next().await? {
        if page.iter().any(|user| user.is_active(now)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Checks the registered gateways of this machine. It is fine if there is none, because a quote can start
/// its own.
async fn gateways(engine: &Engine) -> Vec<Check> {
    let mut checks = Vec::new();
    for record in engine.registry.records() {
        if record.engine != engine.label {
            continue;
        }
        checks.push(match probe(&record).await {
            Ok(()) => Check::ok("gateway", record.websocket),
            Err(error) if error.is_dead() => {
                engine.registry.forget(&record);
                let found = format!("{}; its entry was removed", Chain(&error));
                Check::wrong("gateway", found, "`ocache up`, or `ocache serve`")
            }
            Err(error) => {
                let mend = "check what it does, or restart it";
                Check::wrong("gateway", Chain(&error).to_string(), mend)
            }
        });
    }
    if checks.is_empty() {
        checks.push(Check::ok("gateway", "none runs on this machine"));
    }
    checks
}

#[cfg(feature = "aws")]
async fn aws_checks(aws: &crate::aws::Aws, ports: &Ports) -> Vec<Check> {
    let identity = match aws.identity().await {
        Ok(identity) => identity,
        // Without an identity, every other call would fail with the same error.
        Err(error) => return vec![Check::failed("credentials", &error)],
    };
    let who = format!("{} in account {}", identity.arn, identity.account);
    let place = identity.endpoint.unwrap_or_else(|| "AWS".to_owned());
    let mut checks = vec![
        Check::ok("credentials", who),
        Check::ok("region", format!("{}, {place}", identity.region)),
        clock(aws, ports).await,
    ];
    checks.extend(resources(aws).await);
    checks.extend([schedule(aws).await, websocket(aws).await, token_keys(aws).await]);
    checks
}

/// A stack without a schedule is refreshed by `ocache worker refresh`, so a missing schedule is fine.
#[cfg(feature = "aws")]
async fn schedule(aws: &crate::aws::Aws) -> Check {
    match aws.deployed_schedule().await {
        Ok(None) => Check::ok("schedule", "not deployed"),
        Ok(Some(schedule)) if schedule.enabled => Check::ok("schedule", schedule.expression),
        Ok(Some(_)) => Check::wrong("schedule", "disabled", "enable it, or apply infra/ again"),
        Err(error) => Check::failed("schedule", &error),
    }
}

#[cfg(feature = "aws")]
async fn websocket(aws: &crate::aws::Aws) -> Check {
    match aws.deployed_websocket().await {
        Ok(None) => Check::ok("deployed gateway", "not deployed"),
        Ok(Some(url)) => Check::ok("deployed gateway", url),
        Err(error) => Check::failed("deployed gateway", &error),
    }
}

/// Checks the token keys. A stack that does not require tokens needs none, and not everybody may read
/// them.
#[cfg(feature = "aws")]
async fn token_keys(aws: &crate::aws::Aws) -> Check {
    match aws.token_keys().read().await {
        Ok(Some(keys)) => Check::ok("token keys", format!("{} signs", keys.first().kid())),
        Ok(None) => {
            Check::ok("token keys", "none; if tokens are required, run `ocache keys rotate`")
        }
        Err(PortError::Denied { .. }) => Check::ok("token keys", "you may not read them"),
        Err(error) => Check::failed("token keys", &error),
    }
}

#[cfg(feature = "aws")]
async fn clock(aws: &crate::aws::Aws, ports: &Ports) -> Check {
    match aws.clock_skew_secs(&*ports.clock).await {
        Ok(None) => Check::ok("clock", "the endpoint does not tell the time"),
        Ok(Some(secs)) if secs.unsigned_abs() < crate::aws::MAX_SKEW_SECS => {
            Check::ok("clock", format!("{secs} s from AWS's"))
        }
        Ok(Some(secs)) => {
            Check::wrong("clock", format!("{secs} s from AWS's"), "set this machine's clock")
        }
        Err(error) => Check::failed("clock", &error),
    }
}

#[cfg(feature = "aws")]
async fn resources(aws: &crate::aws::Aws) -> Vec<Check> {
    use crate::aws::{Drift, ProvisionError};
    let plan = match aws.plan().await {
        Ok(plan) => plan,
        Err(ProvisionError::Port(error)) => return vec![Check::failed("stack", &error)],
        Err(error) => {
            let mend = "`ocache destroy`, then `ocache provision`";
            return vec![Check::wrong("stack", Chain(&error).to_string(), mend)];
        }
    };
    let check = |change: crate::aws::PlanLine| {
        let what = change.resource.to_string();
        match change.drift {
            Drift::Unchanged => Check::ok(what, "as it should be"),
            Drift::Missing => Check::wrong(what, "missing", "`ocache provision`"),
            Drift::Differs { attribute, is, should } => {
                let is = is.as_deref().unwrap_or("not set");
                let found = format!("{attribute} is {is}, should be {should}");
                Check::wrong(what, found, "`ocache provision --fix`")
            }
        }
    };
    plan.changes.into_iter().map(check).collect()
}

fn print(output: &Output, checks: &[Check]) -> Result<()> {
    output.data(&checks, |checks| {
        let rows = checks.iter().map(|check| {
            let mark = if check.ok { "ok" } else { "wrong" };
            [mark, &check.what, &check.found, check.mend.as_deref().unwrap_or_default()]
        });
        table(["", "what", "found", "to fix it"]).with(rows).to_string()
    })?;
    match checks.iter().filter(|check| !check.ok).count() {
        0 => Ok(()),
        1 => Err(Failure::new(ExitCode::Failure, "one check failed")),
        count => Err(Failure::new(ExitCode::Failure, format!("{count} checks failed"))),
    }
}
