//! Paths as people write them.

use std::any::TypeId;
use std::error::Error;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use clap::Arg;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::runtime::KeySetPlace;

/// Parses a path. `~` at its beginning is the home folder, even if no shell has expanded it.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(not_empty)
}

/// Parses the URL or the path of a key set.
pub(super) fn key_set_place() -> impl TypedValueParser<Value = KeySetPlace> {
    type Parsed = Result<KeySetPlace, Box<dyn Error + Send + Sync>>;
    OsStringValueParser::new().try_map(|text| -> Parsed {
        match text.to_str() {
            Some(url) if is_url(url) => Ok(KeySetPlace::url(url)?),
            _ => Ok(KeySetPlace::File(not_empty(text)?)),
        }
    })
}

fn not_empty(text: OsString) -> Result<PathBuf, &'static str> {
    if text.is_empty() { Err("the path is empty") } else { Ok(expanded(text)) }
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// Expands `~` in the text of a path.
pub(super) fn expanded(text: OsString) -> PathBuf {
    let path = PathBuf::from(text);
    match (below_home(&path), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

/// Returns a base folder of the XDG standard: that of the variable, else its default below the home folder.
pub(super) fn base_folder(variable: &str, default: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    set.or_else(|| std::env::home_dir().map(|home| home.join(default)))
}

fn below_home(path: &Path) -> Option<&Path> {
    let mut components = path.components();
    (components.next()? == Component::Normal("~".as_ref())).then_some(components.as_path())
}

/// Whether a flag takes a path.
pub(super) fn is_path(argument: &Arg) -> bool {
    let value = argument.get_value_parser().type_id();
    [TypeId::of::<PathBuf>(), TypeId::of::<KeySetPlace>()].iter().any(|path| value == *path)
}

/// Resolves a path in a file relative to the file's folder. A URL stays as it is.
pub(super) fn in_folder(folder: &Path, text: &str) -> String {
    let path = Path::new(text);
    match path.is_absolute() || below_home(path).is_some() || text.is_empty() || is_url(text) {
        true => text.to_owned(),
        false => folder.join(path).display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::super::args::Cli;
    use super::*;

    #[test]
    fn only_the_first_tilde_is_the_home() {
        let home = std::env::home_dir().unwrap();
        for (text, expected) in [
            ("~", home.clone()),
            ("~/store", home.join("store")),
            ("~x/store", "~x/store".into()),
            ("a/~", "a/~".into()),
            ("/~", "/~".into()),
        ] {
            assert_eq!(expanded(text.into()), expected, "{text}");
        }
    }

    #[test]
    fn every_path_of_a_command_line_may_begin_at_home() {
        /// Parses a text as the value of an argument.
        fn parsed(argument: &Arg, text: &str) -> PathBuf {
            let alone = Arg::new("path").value_parser(argument.get_value_parser().clone());
            let matches =
                Command::new("ocache").arg(alone).try_get_matches_from(["ocache", text]).unwrap();
            match matches.try_get_one::<KeySetPlace>("path") {
                Ok(Some(KeySetPlace::File(path))) => path.clone(),
                _ => matches.get_one::<PathBuf>("path").unwrap().clone(),
            }
        }
        fn check(command: &Command, home: &Path) -> usize {
            let mut checked = 0;
            for argument in command.get_arguments().filter(|argument| is_path(argument)) {
                let name = argument.get_id();
                assert_eq!(parsed(argument, "~/x"), home.join("x"), "{name}");
                assert_eq!(parsed(argument, "-"), Path::new("-"), "{name}");
                checked += 1;
            }
            checked + command.get_subcommands().map(|command| check(command, home)).sum::<usize>()
        }
        let home = std::env::home_dir().unwrap();
        assert!(check(&Cli::command(), &home) >= 15, "they are found");
    }

    #[test]
    fn a_path_of_a_file_is_of_its_folder() {
        let folder = Path::new("/shop");
        for (text, expected) in [
            ("store", "/shop/store"),
            ("../store", "/shop/../store"),
            ("/store", "/store"),
            ("~/store", "~/store"),
            ("https://id.example.com/keys", "https://id.example.com/keys"),
        ] {
            assert_eq!(in_folder(folder, text), expected);
        }
    }
}
