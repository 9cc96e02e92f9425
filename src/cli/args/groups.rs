//! The order in which commands are listed.

/// The commands in groups, in the order in which they are listed.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Run", &["up", "serve", "worker"]),
    (
        "Quotes, prices and customers",
        &[
            "quote",
            "quotation",
            "prices",
            "list",
            "load",
            "export",
            "generate",
            "subscribe",
            "unsubscribe",
        ],
    ),
    ("Watch and plan", &["status", "meter", "cost", "simulate", "bench", "verify", "doctor"]),
    (
        "Operate and set up",
        &[
            "config",
            "token",
            "keys",
            "dead-letters",
            "backup",
            "restore",
            #[cfg(feature = "aws")]
            "provision",
            #[cfg(feature = "aws")]
            "destroy",
            "completions",
            "man",
            "help",
        ],
    ),
];

/// Commands that only builds with AWS have.
#[cfg(not(feature = "aws"))]
pub const AWS_COMMANDS: [&str; 2] = ["provision", "destroy"];

/// The commands to start with.
pub const START: &str = "\
Start here: ocache up; in another terminal: ocache quote --client AAA P1:2 P3:1";

/// The exit codes.
pub const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 failure, 2 usage, 3 bad data, 4 not found, 5 timed out, 6 unreachable,
7 denied, 130 interrupted before a result.";
