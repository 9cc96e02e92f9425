//! Tests of loads that come into force while a verification runs.

use super::*;

/// Loads one more product whenever quotations are read, `loads_left` times. On the memory engine a load
/// ends at once.
struct Loader {
    ports: Ports,
    loads_left: u32,
    restarts: u32,
    findings: Vec<Finding>,
}

impl Audience for Loader {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn progress(&mut self, step: VerifyStep, _: u64) {
        if step == VerifyStep::Quotations && self.loads_left > 0 {
            self.loads_left -= 1;
            let product = Product::new(
                format!("Q{}", self.loads_left).parse().unwrap(),
                "one more".to_owned(),
                Money::from_minor(1),
            );
            let load = apply(&self.ports, vec![product.into()], Currency::USD);
            load.now_or_never().unwrap().unwrap();
        }
    }

    fn starts_over(&mut self) {
        self.restarts += 1;
    }
}

/// Verifies everything while this many loads come into force, one in each run.
async fn verified_while_loading(
    system: &System,
    loads: u32,
) -> (Result<VerifyReport, VerifyError>, u32, Vec<Finding>) {
    let options = VerifyOptions { tables: None, answers: None, seed: 1 };
    let findings = vec![];
    let mut loader =
        Loader { ports: system.ports.clone(), loads_left: loads, restarts: 0, findings };
    let verified = verify(&*system.ports.store, options, system.now(), &mut loader).await;
    (verified, loader.restarts, loader.findings)
}

#[tokio::test(start_paused = true)]
async fn a_load_that_comes_into_force_meanwhile_makes_it_start_over() {
    let system = quoted(harness::memory()).await;
    overwrite_own(&system, "AAA", &priced(&list(&[("P1", "90")]))).await;
    let before = found(&system).await.report;
    let (verified, restarts, findings) = verified_while_loading(&system, 3).await;
    let report = verified.unwrap();
    assert_eq!((report.catalogue_version, restarts), (before.catalogue_version + 3, 3));
    // Unfinished runs are not counted, and no finding is reported twice.
    assert_eq!((report.tables_checked, report.answers_checked), (2, 2));
    let told: Vec<(FindingKind, String)> =
        findings.iter().map(|found| (found.kind, found.subject.to_string())).collect();
    let of = |user: &str| format!("table of `{user}`");
    assert_eq!(
        told,
        [(FindingKind::Wrong, of("AAA")), (FindingKind::Outdated, of("BBB"))],
        "{findings:?}"
    );
    assert_eq!((report.count(FindingKind::Wrong), report.count(FindingKind::Outdated)), (1, 1));

    let (verified, restarts, _) = verified_while_loading(&system, 4).await;
    assert!(matches!(verified, Err(VerifyError::Loading)), "{verified:?}");
    assert_eq!(restarts, 3);
}
