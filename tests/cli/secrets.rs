//! Tests that nothing secret is printed, and that stored files are private to their owner.

#[cfg(unix)]
#[test]
fn everything_in_the_data_folder_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn look(path: &Path, seen: &mut Vec<String>) {
        let metadata = std::fs::metadata(path).unwrap();
        let (mode, allowed) = match metadata.is_dir() {
            true => (metadata.permissions().mode() & 0o777, 0o700),
            false => (metadata.permissions().mode() & 0o777, 0o600),
        };
        assert_eq!(mode, allowed, "{}", path.display());
        seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
        if metadata.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            entries.for_each(|entry| look(&entry.unwrap().path(), seen));
        }
    }

    let home = super::process::Home::new();
    let (_up, _) = home.up(&[]);
    let data = home.path().join("data");
    home.ok(&["backup", data.join("copy.db").to_str().unwrap()]);
    let mut seen = vec![];
    look(&data, &mut seen);
    for file in ["store.db", "store.db-wal", "store.db-shm", "gateways", "copy.db"] {
        assert!(seen.iter().any(|name| name == file), "no {file} among {seen:?}");
    }
}

#[cfg(feature = "aws")]
mod aws {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use crate::cli::process::{Home, text};

    const KEY: &str = "AKIAOCACHETESTKEY000";
    const SECRET: &str = "recognisable-secret-access-key";
    const TOKEN: &str = "recognisable-session-token";

    /// Refuses everything as AWS refuses a wrong signature: with what should have been signed, including
    /// the token.
    fn refuse(stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut length, mut is_json) = (0, false);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                let line = line.trim_end().to_ascii_lowercase();
                is_json |= line.contains("x-amz-json");
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            reader.by_ref().take(length).read_to_end(&mut vec![])?;
            let why = format!("the canonical string was: x-amz-security-token:{TOKEN}");
            let body = match is_json {
                true => {
                    format!(r#"{{"__type":"InvalidSignatureException","message":"{why}"}}"#)
                }
                false => format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\
                     <Message>{why}</Message></Error></ErrorResponse>"
                ),
            };
            let head = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n", body.len());
            reader.get_mut().write_all((head + &body).as_bytes())?;
        }
    }

    /// Returns a home with known credentials, and an endpoint that refuses them.
    fn refused_home() -> (Home, String) {
        let mut home = Home::new();
        home.environment = &[
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
        ];
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client may go away at any time.
                std::thread::spawn(move || stream.and_then(refuse));
            }
        });
        (home, endpoint)
    }

    fn says_nothing_secret(what: &[&str], said: &str) {
        // The key's id is a name. The SDK logs it at its most verbose level.
        for secret in [SECRET, TOKEN] {
            assert!(!said.contains(secret), "{what:?} says {secret}:\n{said}");
        }
    }

    #[test]
    fn no_command_says_the_credentials_it_uses() {
        let (home, endpoint) = refused_home();
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
        let commands: [&[&str]; 13] = [
            &["load", fixtures],
            &["subscribe", "AAA"],
            &["unsubscribe", "AAA"],
            &["quote", "--client", "AAA", "P1:1", "--timeout", "2s"],
            &["quotation", "q_64gb8nn5fsgktg2spvz6qynjey"],
            &["prices", "AAA"],
            &["status"],
            &["status", "--output", "json"],
            &["dead-letters", "list"],
            &["doctor"],
            &["provision", "--yes"],
            &["destroy", "--yes"],
            &["up", "--port", "0"],
        ];
        for command in commands {
            let args = [command, &["--endpoint-url", &endpoint, "-vvv"]].concat();
            let output = home.run(&args);
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!output.status.success() || command[0] == "quote", "{command:?}: {said}");
            assert!(said.contains(&endpoint), "{command:?} did not come so far: {said}");
            says_nothing_secret(&args, &said);
        }
    }

    #[test]
    fn a_worker_says_nothing_of_its_credentials() {
        let (home, endpoint) = refused_home();
        let args = ["worker", "all", "--endpoint-url", &endpoint, "-vv"];
        // The worker ends, because it cannot read the settings.
        let (code, said) = home.start(&args).end();
        assert_eq!(code, Some(7), "{said}");
        says_nothing_secret(&args, &said);
    }

    #[test]
    fn a_password_in_an_endpoint_is_refused_and_not_repeated() {
        let home = Home::new();
        for endpoint in ["http://me:pass-word@127.0.0.1:9", "me:pass-word@127.0.0.1"] {
            let stderr = home.fails(2, &["status", "--endpoint-url", endpoint]);
            assert!(stderr.contains("AWS_SECRET_ACCESS_KEY"), "{stderr}");
            assert!(!stderr.contains("pass-word"), "{stderr}");
        }
    }
}
