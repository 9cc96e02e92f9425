//! Tests of refusals by AWS with real processes: the exit code, the message and the hint.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::process::Home;

/// The credentials for a stand-in for AWS.
const KEYS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
/// Keeps processes from asking the machine itself for credentials.
const NO_MACHINE: &[(&str, &str)] = &[("AWS_EC2_METADATA_DISABLED", "true")];

/// Starts a server that gives everybody the same answer. Returns its URL. It ends with the test's process.
fn server(status: &'static str, date: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client may go away at any time.
            let _ = answer(stream.unwrap(), status, date, &body);
        }
    });
    url
}

fn answer(mut stream: TcpStream, status: &str, date: &str, body: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ndate: {date}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Starts a server that refuses everything with a code.
fn refusing(code: &str, date: &'static str) -> String {
    let body = format!(r#"{{"__type":"com.amazonaws#{code}","message":"said the service"}}"#);
    server("400 Bad Request", date, body)
}

const LONG_AGO: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
const LONG_AFTER: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
/// Without a date nothing is known about the clock.
const NO_DATE: &str = "";

#[test]
fn each_refusal_has_its_exit_code_its_words_and_a_hint_that_helps() {
    let mut home = Home::new();
    home.environment = KEYS;
    for (code, date, exit, words, hint) in [
        ("RequestTimeTooSkewed", LONG_AFTER, 7, "minutes behind AWS's", "set this machine's clock"),
        ("RequestTimeTooSkewed", NO_DATE, 7, "machine's clock", "set this machine's clock"),
        // This is the code of most services.
        ("InvalidSignatureException", LONG_AGO, 7, "minutes ahead of AWS's", "set this machine's"),
        ("InvalidSignatureException", NO_DATE, 7, "does not belong to", "AWS_SECRET_ACCESS_KEY"),
        ("ExpiredTokenException", NO_DATE, 7, "have expired", "`aws sso login` renews"),
        (
            "UnrecognizedClientException",
            NO_DATE,
            7,
            "does not know the access key",
            "get-caller-id",
        ),
        ("SubscriptionRequiredException", NO_DATE, 7, "not signed up", "--region"),
        ("AccessDeniedException", NO_DATE, 7, "was denied", "`ocache doctor --"),
        ("UnknownOperationException", NO_DATE, 1, "UnknownOperationException", "--endpoint-url"),
        ("ResourceNotFoundException", NO_DATE, 4, "is missing", "`ocache provision --"),
        ("ValidationException", NO_DATE, 3, "said the service", ""),
    ] {
        let url = refusing(code, date);
        let error = home.fails(exit, &["status", "--endpoint-url", &url]);
        assert!(error.contains(words), "{code}: {error}");
        assert!(error.contains(hint), "{code}: {error}");
        assert!(!error.contains("PROFILE "), "{code}: {error}");
    }
}

#[test]
fn an_endpoint_that_does_not_speak_aws_is_told_so() {
    let mut home = Home::new();
    home.environment = KEYS;
    let page = "<html><body>It works!</body></html>";
    for status in ["200 OK", "404 Not Found"] {
        let url = server(status, NO_DATE, page.to_owned());
        let error = home.fails(6, &["status", "--endpoint-url", &url]);
        assert!(error.contains("does not speak the protocol of AWS"), "{error}");
        assert!(error.contains("hint: check --endpoint-url"), "{error}");
    }
}

#[test]
fn a_missing_stack_is_named_by_quote_as_by_status() {
    let mut home = Home::new();
    home.environment = KEYS;
    let url = refusing("ResourceNotFoundException", NO_DATE);
    let [status, quote] = [&["status"][..], &["quote", "--client", "AAA", "P1"]].map(|args| {
        let error = home.fails(4, &[args, &["--endpoint-url", &url]].concat());
        // The table that is requested first is named, and which one that is may vary.
        let table = error.split('`').nth(1).unwrap();
        assert!(table.starts_with("organic-cache-"), "{error}");
        error[error.find("error:").unwrap()..].replace(table, "TABLE")
    });
    assert!(status.starts_with("error: table `TABLE` is missing"), "{status}");
    let flags = format!("--backend aws --endpoint-url {url}` makes what is missing");
    assert!(status.contains("`ocache provision --") && status.contains(&flags), "{status}");
    assert_eq!(quote, status);
}

#[test]
fn credentials_that_are_not_there_are_told_apart() {
    let mut home = Home::new();
    home.environment = NO_MACHINE;
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    home.file(
        ".aws/config",
        "[profile login]\nsso_start_url = https://example.invalid/start\nsso_region = eu-west-1\n\
         sso_account_id = 123456789012\nsso_role_name = reader\n[profile empty]\nregion = eu-west-1\n\
         [profile dev]\naws_access_key_id = test\naws_secret_access_key = test\n",
    );
    let none = home.fails(7, &["status", "--backend", "aws", "--region", "eu-west-1"]);
    assert!(none.contains("no AWS credentials were found"), "{none}");
    assert!(none.contains("hint: set AWS_ACCESS_KEY_ID"), "{none}");
    for (profile, words, hint) in [
        ("nobody", "there is no AWS profile `nobody`", "`aws configure list-profiles`"),
        ("login", "AWS profile `login` needs a login", "`aws sso login --profile login`"),
        ("empty", "AWS profile `empty` gives no", "`aws configure --profile empty`"),
    ] {
        let error = home.fails(7, &["status", "--profile", profile, "--region", "eu-west-1"]);
        assert!(error.contains(words) && error.contains(hint), "{profile}: {error}");
    }
    let url = refusing("ExpiredTokenException", NO_DATE);
    let args = ["status", "--profile", "dev", "--region", "eu-west-1", "--endpoint-url", &url];
    let expired = home.fails(7, &args);
    assert!(expired.contains("`aws sso login --profile dev` renews"), "{expired}");
}

#[test]
fn a_profile_of_the_environment_that_is_not_there_is_named() {
    let mut home = Home::new();
    home.environment = &[("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PROFILE", "nobody")];
    let error = home.fails(7, &["status", "--backend", "aws", "--region", "eu-west-1"]);
    assert!(error.contains("there is no AWS profile `nobody`"), "{error}");
}
